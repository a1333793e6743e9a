"""Measure the similarity of a method's steps across images (arXiv 2103.17249, Table 2)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from textedit_bench.bench.kept import EDITS
from textedit_bench.experiments.cells import DatasetCells
from textedit_bench.experiments.experiment import Offsets
from textedit_bench.experiments.intervals import jackknife_interval
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.report.collect import StoredCell

MEAN, STD = "offset_cosine_mean", "offset_cosine_std"
HEADINGS = {MEAN: Heading("Cosine of steps, mean", None, 3), STD: Heading("Cosine of steps, deviation", None, 3)}


def measure_offsets(part: Offsets, dataset: str, cells: DatasetCells) -> list[Measured]:
    """Compute mean and standard deviation of the cosine over pairs of images, per method and prompt.

    The interval leaves out one image, with all its pairs, at a time.
    """
    rows: list[Measured] = []
    known = {name.lower(): setting for name, setting in part.settings.items()}  # as CLIP reads texts: without case
    for cell in cells.collected.cells if cells.collected is not None else []:
        if cell.listing.control:
            continue
        prompt = cell.identity.prompt
        names = (cell.identity.prompt_id, prompt.phrase or "", prompt.target)
        setting = next((known[name.lower()] for name in names if name.lower() in known), names[1] or names[2])
        steps = _steps(cell)
        for metric, heading in HEADINGS.items():
            base = Measured(
                dataset=dataset,
                method=cell.identity.method,
                title=cell.listing.title,
                setting=setting,
                metric=metric,
                heading=heading,
            )
            rows.append(base.lacking("no stored codes") if steps is None else _measured(base, steps))
    for method, state in cells.states.items():
        title = cells.titles.get(method, method)
        for setting in part.settings.values() or ["all prompts"]:
            for metric, heading in HEADINGS.items():
                keys: dict[str, Any] = {"dataset": dataset, "method": method, "setting": setting, "metric": metric}
                rows.append(Measured(**keys, title=title, heading=heading, state=state))
    return rows


def pair_cosines(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute cosines of all pairs of rows [N, d], as the upper triangle of their matrix."""
    unit = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    return (unit @ unit.T)[np.triu_indices(len(unit), 1)]


def _steps(cell: StoredCell) -> NDArray[np.float64] | None:
    """Return steps [N, d] from strength 0 to the default one, without unmoved images; None without codes."""
    where = cell.path / EDITS
    strengths = cell.identity.strengths
    if not where.is_file() or 0.0 not in strengths:
        return None
    codes = load_file(where)["codes"].astype(np.float64)
    steps = codes[strengths.index(cell.listing.default_strength)] - codes[strengths.index(0.0)]
    flat = steps.reshape(len(steps), -1)
    return flat[np.linalg.norm(flat, axis=1) > 0]


def _measured(base: Measured, steps: NDArray[np.float64]) -> Measured:
    if len(steps) < 3:
        return base.lacking(f"only {len(steps)} images moved")
    spread = np.mean if base.metric == MEAN else np.std
    value, low, high = jackknife_interval(len(steps), lambda rows: float(spread(pair_cosines(steps[rows]))))
    return Measured(**{**base.__dict__, "value": value, "low": low, "high": high, "n": len(steps)})
