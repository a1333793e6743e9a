"""The suite on two folders of pictures from any method: photos before the edit, and the edits, paired by file name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from textedit_bench.errors import UserError
from textedit_bench.metrics.column import OK
from textedit_bench.metrics.protocol import Protocol
from textedit_bench.metrics.sets import FEW, SET_METRICS, set_metric
from textedit_bench.metrics.statistics import delete_block_jackknife, two_way_bootstrap
from textedit_bench.metrics.statistics_file import SetStatistics
from textedit_bench.metrics.suite import Suite
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
BATCH = 24


@dataclass(frozen=True)
class FolderScores:
    """What was measured.

    Attributes:
        records: one row per image and metric: image, metric, value, state, protocol.
        summary: one row per metric: title, mean, low, high (95 % interval), n, left_out, protocol.
        notes: what a reader has to know.
        statistics: of the edits' features, for reuse; None without a feature network.
    """

    records: pd.DataFrame
    summary: pd.DataFrame
    notes: tuple[str, ...]
    statistics: SetStatistics | None


@torch.no_grad()
def score_folders(
    domain: Domain, source: Path, edited: Path, prompt: Prompt, reference: SetStatistics | None = None
) -> FolderScores:
    """Measure the edits of one prompt.

    Nothing is known of an inversion or of the truth, so metrics against them are left out. The interval of a mean is
    over images; with one prompt it does not speak of other prompts.

    Args:
        domain: whose judges.
        source: folder of photos.
        edited: folder of edits; ``a.png`` is the edit of ``a.png`` or ``a.jpg``.
        prompt: what was asked.
        reference: statistics of real images, for ``fid_real``.

    Raises:
        UserError: a missing folder, no picture, names that do not pair, a damaged file, pictures of different sizes or
            not of the judges' size, or statistics of another feature network.
    """
    names = _paired(source, edited)
    photos, edits = (_read(folder, names, domain) for folder in (source, edited))
    suite = Suite(domain)
    own = {name: p for name, p in suite.protocols.items() if p.scope == "image" and "+ref=inversion" not in p.id}
    frames = []
    for start in range(0, len(names), BATCH):
        part = slice(start, start + BATCH)
        shown = photos[part]
        columns = suite.score_batch(photos=shown, inversions=shown, edits=edits[part], prompt=prompt, factors=None)
        for name, protocol in own.items():
            facts = {"image": list(names)[part], "metric": name, "protocol": protocol.id}
            frames.append(pd.DataFrame({**facts, "value": columns[name].values, "state": columns[name].states}))
    records = pd.concat(frames, ignore_index=True)
    entries = [_entry(name, own[name].title, rows) for name, rows in records.groupby("metric", sort=False)]
    notes = [f"{len(names)} pairs of pictures, one prompt: {prompt.target!r}; intervals are over images"]
    statistics = None
    if domain.has("features"):
        features = [np.concatenate([suite.features(x) for x in images.split(BATCH)]) for images in (edits, photos)]
        statistics = (
            SetStatistics.of(
                features[0], weights_sha256=domain.digest("features"), resize="network", source=str(edited)
            )
            if len(names) > 1
            else None
        )
        entries += _sets(suite.protocols, features[0], features[1], statistics, reference)
        if len(names) < FEW:
            notes.append(
                f"set metrics on {len(names)} pictures are biased upwards; do not quote them without that number"
            )
    summary = pd.DataFrame([entry for entry in entries if entry["n"]])
    silent = sorted({str(entry["metric"]) for entry in entries if not entry["n"]})
    if silent:
        notes.append(f"without any value: {', '.join(silent)}")
    return FolderScores(records, summary, tuple(notes), statistics)


def _paired(source: Path, edited: Path) -> dict[str, tuple[Path, Path]]:
    """Stem -> both files, sorted by stem."""
    found = []
    for option, folder in (("--source", source), ("--edited", edited)):
        if not folder.is_dir():
            raise UserError(f"{option}: {folder} is not a folder")
        files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS]
        if not files:
            raise UserError(f"{option}: {folder} holds no picture; valid: {', '.join(sorted(ENDINGS))}")
        stems = [path.stem for path in files]
        twice = sorted({stem for stem in stems if stems.count(stem) > 1})
        if twice:
            raise UserError(f"{option}: {folder} holds several pictures called {twice[0]!r}")
        found.append(dict(zip(stems, files, strict=True)))
    lonely = sorted(found[0].keys() ^ found[1].keys())
    if lonely:
        where = edited if lonely[0] in found[0] else source
        raise UserError(f"--edited: {lonely[0]!r} (and {len(lonely) - 1} more) has no partner in {where}")
    return {stem: (found[0][stem], found[1][stem]) for stem in found[0]}


def _read(folder: Path, names: dict[str, tuple[Path, Path]], domain: Domain) -> Tensor:
    """Pictures [N, 3, H, W] in [-1, 1]."""
    pictures: list[NDArray[np.uint8]] = []
    for pair in names.values():
        path = next(path for path in pair if path.parent == folder)
        try:
            with Image.open(path) as opened:
                pictures.append(np.asarray(opened.convert("RGB")))
        except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise UserError(f"picture {path}: cannot be read ({error})") from error
        height, width = pictures[-1].shape[:2]
        if (height, width) != (domain.resolution, domain.resolution):
            raise UserError(
                f"picture {path}: {width}x{height}; the judges of {domain.name}, tier {domain.tier} read "
                f"{domain.resolution}x{domain.resolution}"
            )
    stacked = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()
    return stacked / 127.5 - 1.0


def _entry(name: str, title: str, rows: pd.DataFrame) -> dict[str, object]:
    values = np.where(rows["state"] == OK, rows["value"], np.nan)[None]
    facts = {
        "metric": name,
        "title": title,
        "left_out": int(np.isnan(values).sum()),
        "protocol": rows["protocol"].iloc[0],
    }
    if not np.isfinite(values).any():
        return {**facts, "mean": np.nan, "low": np.nan, "high": np.nan, "n": 0}
    # A rate is one whose values are all 0 or 1; it cannot leave that range, nor be certain after a few images.
    rate = bool(np.isin(values[np.isfinite(values)], (0.0, 1.0)).all())
    found = two_way_bootstrap(values, bounds=(0.0, 1.0) if rate else None)
    known = np.isfinite(found.spreads[0].error)
    low, high = (float(found.low[0]), float(found.high[0])) if known else (np.nan, np.nan)
    return {**facts, "mean": float(found.mean[0]), "low": low, "high": high, "n": int(np.isfinite(values).sum())}


def _sets(
    protocols: Mapping[str, Protocol],
    edits: NDArray[np.float32],
    photos: NDArray[np.float32],
    statistics: SetStatistics | None,
    reference: SetStatistics | None,
) -> list[dict[str, object]]:
    """Set metrics against the photos, and FID against given statistics."""
    entries: list[dict[str, object]] = []
    blocks = np.arange(len(edits))
    if len(edits) >= 3:
        found = delete_block_jackknife(edits, blocks, photos, reference_blocks=blocks)
        identity = protocols["fid_source"].with_counts(len(edits), len(photos)).id
        facts = {"metric": "fid_source", "title": SET_METRICS["fid_source"].title, "left_out": 0, "protocol": identity}
        entries.append({**facts, "mean": found.value, "low": found.low, "high": found.high, "n": len(edits)})
    if reference is not None and statistics is not None:
        try:
            value = statistics.distance(reference)
        except ValueError as error:
            raise UserError(f"--reference: {error}") from error
        identity = protocols["fid_real"].with_counts(len(edits), reference.n or 0).id
        facts = {"metric": "fid_real", "title": SET_METRICS["fid_real"].title, "left_out": 0, "protocol": identity}
        entries.append({**facts, "mean": value, "low": np.nan, "high": np.nan, "n": len(edits)})
        if reference.features is not None:
            kid = set_metric("kid_real", edits, reference.features)
            identity = protocols["kid_real"].with_counts(len(edits), len(reference.features)).id
            facts = {"metric": "kid_real", "title": SET_METRICS["kid_real"].title, "left_out": 0, "protocol": identity}
            entries.append({**facts, "mean": kid, "low": np.nan, "high": np.nan, "n": len(edits)})
    return entries
