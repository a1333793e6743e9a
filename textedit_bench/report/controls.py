"""Do the controls score what they must? A table whose controls are wrong is not written: its judges are broken.

What is expected of each control is a property of the harness, not of any method: a copied photo keeps everything, an
inversion differs from itself in nothing, a random step goes nowhere in particular, an edit for another prompt preserves
as its method does and moves nowhere near this prompt, and a picture that really has the attribute is seen to have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from textedit_bench.bench.controls import SHOWS, TRUTH
from textedit_bench.bench.copied import MATCHES, OTHER_PROMPT, STEP
from textedit_bench.bench.inputs import INVERSION, PHOTO
from textedit_bench.files import write_text
from textedit_bench.metrics.column import IDENTICAL, NO_CHANGE, OK
from textedit_bench.metrics.frechet import fid
from textedit_bench.metrics.statistics import interval
from textedit_bench.report.collect import Collected, load_arrays
from textedit_bench.report.markdown import escape
from textedit_bench.report.rows import RowCells, make_rows
from textedit_bench.seeds import seed_of

EXACT = 1e-5
"""Rounding allowed where a value is known: embeddings are float32."""
NOWHERE = 0.1
"""A direction (cosine) up to which a step counts as going nowhere, where no anchor gives the scale."""
SHARE = 0.25
"""Share of the anchor's effect below which an effect counts as none."""
ENOUGH_PROMPTS, ENOUGH_IMAGES = 3, 8
"""With fewer, expectations that hold on average only are not checked; exact ones always are."""
SEEN = 0.9
"""Success that pictures with the attribute must reach, within their interval."""


@dataclass(frozen=True)
class Check:
    """One expectation and what was measured."""

    dataset: str
    prompt_set: str
    control: str
    expected: str
    measured: str
    passed: bool

    @property
    def sentence(self) -> str:
        """The check in one line."""
        return f"{self.dataset}, {self.prompt_set} prompts, {self.control}: expected {self.expected}; {self.measured}"


def check_controls(part: Collected) -> list[Check]:
    """Every expectation that can be checked on the stored rows of a data set; empty where no control was run."""
    rows = make_rows(part.cells)
    photos = part.inputs / "features.npz" if part.inputs else None
    features = load_arrays(photos)["photo"] if photos and photos.exists() else None
    checks: list[Check] = []
    for row in rows:
        block = [other for other in rows if other.prompt_set == row.prompt_set]
        for expected, measured, passed in _expectations(row, block, features):
            checks.append(Check(part.dataset, row.prompt_set, row.title, expected, measured, passed))
    return checks


Finding = tuple[str, str, bool]


def _kind(row: RowCells) -> str:
    """What a control is for, from its settings; nothing for a method."""
    settings = row.cells[0].identity["settings"]
    return str(settings.get(SHOWS) or settings.get(MATCHES) or "") if row.control else ""


def _expectations(row: RowCells, block: Sequence[RowCells], photos: np.ndarray | None) -> Iterator[Finding]:
    kind = _kind(row)
    if kind == PHOTO:
        yield from _unchanged(row, "", "_photo")
        yield from _same_features(row, photos)
    elif kind == INVERSION:
        yield from _unchanged(row, "_inversion", "")
    elif kind in (STEP, OTHER_PROMPT):
        anchor = next((other for other in block if _kind(other) == TRUTH), None)
        yield from _no_effect(row, anchor)
        if kind == OTHER_PROMPT:
            yield from _kept_like_its_method(row, block)
    elif kind == TRUTH:
        yield from _has_it(row)


def _unchanged(row: RowCells, against: str, text: str) -> Iterator[Finding]:
    """Pictures that equal what they are compared with."""
    for name, wanted in ((f"lpips{against}", 0.0), (f"identity{against}", 1.0), (f"clip_gain{text}", 0.0)):
        values = _values(row, name)
        if len(values):
            away = float(np.abs(values - wanted).max())
            yield f"{name} = {wanted:g}", f"largest deviation {away:.3g}", away <= EXACT * 100 ** (name[0] == "c")
    for name, state in ((f"psnr{against}", IDENTICAL), (f"clip_direction{text}", NO_CHANGE)):
        states = row.records.loc[row.records["metric"] == name, "state"]
        if len(states):
            other = int((states == OK).sum())
            yield f"{name}: {state}", f"{other} of {len(states)} have a value", other == 0


def _same_features(row: RowCells, photos: np.ndarray | None) -> Iterator[Finding]:
    features = row.features()
    if features is None or photos is None or len(photos) < 2:
        return
    distance = max(fid(features[:, prompt], photos) for prompt in range(features.shape[1]))
    yield "fid_source = 0", f"{distance:.3g}", distance <= 1e-3


def _no_effect(row: RowCells, anchor: RowCells | None) -> Iterator[Finding]:
    """A step that has nothing to do with the prompt."""
    for name, limit in (("clip_direction", NOWHERE), ("clip_gain", None)):
        top = _mean(anchor, name) if anchor is not None else np.nan
        bound = max(limit or 0.0, SHARE * top) if np.isfinite(top) else limit
        found = _interval(row, name)
        if found is None or bound is None:
            continue
        mean, low, _ = found
        yield f"{name} at most {bound:.3g}", f"{mean:.3g}, interval from {low:.3g}", low <= bound


def _kept_like_its_method(row: RowCells, block: Sequence[RowCells]) -> Iterator[Finding]:
    """The same edits, so the same distances: only the text they are held against differs."""
    sources = {cell.identity["matched_to"] for cell in row.cells}
    method = next((other for other in block if {cell.digest for cell in other.cells} == sources), None)
    for name in ("lpips", "identity"):
        own, theirs = _mean(row, name), _mean(method, name) if method is not None else np.nan
        if np.isfinite(own) and np.isfinite(theirs):
            yield f"{name} as its method: {theirs:.5f}", f"{own:.5f}", abs(own - theirs) <= EXACT


def _has_it(row: RowCells) -> Iterator[Finding]:
    """Pictures that really have what was asked."""
    bounds: dict[str, tuple[float, Callable[[float, float], bool]]] = {
        "success": (SEEN, lambda mean, high: high >= SEEN),
        "clip_gain_photo": (0.0, lambda mean, high: high > 0.0),
    }
    for name, (bound, good) in bounds.items():
        found = _interval(row, name)
        if found is not None:
            mean, _, high = found
            yield f"{name} at least {bound:g}", f"{mean:.3g}, interval to {high:.3g}", good(mean, high)


def _values(row: RowCells, metric: str) -> np.ndarray:
    chosen = (row.records["metric"] == metric) & (row.records["state"] == OK)
    return row.records.loc[chosen, "value"].to_numpy(np.float64)


def _mean(row: RowCells | None, metric: str) -> float:
    values = _values(row, metric) if row is not None else np.empty(0)
    return float(values.mean()) if len(values) else np.nan


def _interval(row: RowCells, metric: str) -> tuple[float, float, float] | None:
    """Mean with its 95 % interval; None where there are too few prompts or images to call a control wrong."""
    images = row.cells[0].manifest["infer"]["ids"]
    grid = row.grid(metric, row.prompts, images)
    known = np.isfinite(grid)
    if known.any(1).sum() < ENOUGH_PROMPTS or known.any(0).sum() < ENOUGH_IMAGES:
        return None
    low, high = interval(grid, seed=seed_of(check=metric) % 2**32)
    return float(np.nanmean(grid)), low, high


def write_checks(checks: Sequence[Check], folder: Path) -> list[Path]:
    """Write ``controls.md``; nothing where no control was run."""
    if not checks:
        return []
    right = sum(check.passed for check in checks)
    lines = [
        "# Controls",
        "",
        f"{right} of {len(checks)} expectations hold. A table is written only where all of them do.",
        "",
        "| Data set | Prompts | Control | Expected | Measured | |",
        "| :-- | :-- | :-- | :-- | :-- | :-- |",
    ]
    for c in checks:
        texts = (c.dataset, c.prompt_set, c.control, c.expected, c.measured)
        lines.append(f"| {' | '.join(map(escape, texts))} | {'ok' if c.passed else '**wrong**'} |")
    write_text(folder / "controls.md", "\n".join(lines) + "\n")
    return [folder / "controls.md"]
