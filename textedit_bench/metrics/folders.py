"""Score two folders of pictures from any method: photos before the edit, and the edits, paired by file name."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from textedit_bench.data.crop import Crop
from textedit_bench.data.decode import UnusableImageError, changes_in_words, decode_picture, read_encoded
from textedit_bench.data.pixels import Pixels
from textedit_bench.data.sources.folder import picture_names
from textedit_bench.errors import UserError
from textedit_bench.metrics.column import OK, Protocol, bounds_of, is_rate
from textedit_bench.metrics.images import ImageBatch
from textedit_bench.metrics.sets import FEW, SET_METRICS, set_metric
from textedit_bench.metrics.statistics import delete_block_jackknife, two_way_bootstrap
from textedit_bench.metrics.statistics_file import SetStatistics
from textedit_bench.metrics.suite import Suite
from textedit_bench.prompt import Prompt

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


def pair_pictures(source: Path, edited: Path) -> dict[str, tuple[Path, Path]]:
    """Return name without extension -> both files, sorted by name.

    Extensions may differ (``a.png`` is the edit of ``a.JPG``). If a name has no exact match, one that differs only in
    letter case or in the encoding of accents is used. Hidden files and folders are ignored.

    Raises:
        UserError: no folder, no picture in it, two pictures of one name, or one without a partner.
    """
    photos, edits = (_by_stem(option, folder) for option, folder in (("--source", source), ("--edited", edited)))
    partners = {stem: stem for stem in photos.keys() & edits.keys()}
    alike = _folded(edits.keys() - partners.keys())
    for folded, stem in _folded(photos.keys() - partners.keys()).items():
        if folded in alike:
            partners[stem] = alike[folded]
    for lonely, where in ((photos.keys() - partners.keys(), edited), (edits.keys() - set(partners.values()), source)):
        if lonely:
            raise UserError(
                f"--edited: {min(lonely)!r} (and {len(lonely) - 1} more) has no partner in {where}; valid: the same "
                f"names in both folders ({len(photos)} pictures and {len(edits)}), whatever their endings"
            )
    return {stem: (photos[stem], edits[partners[stem]]) for stem in sorted(partners)}


def _by_stem(option: str, folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise UserError(f"{option}: {folder} is not a folder")
    try:
        names = picture_names(folder)
    except UserError as error:
        raise UserError(f"{option}: {error}") from error
    found: dict[str, Path] = {}
    for name in names:
        path = folder / name
        if path.stem in found:
            both = f"{found[path.stem].name} and {name}"
            raise UserError(f"{option}: {folder} holds several pictures called {path.stem!r}: {both}")
        found[path.stem] = path
    return found


def _folded(stems: Iterable[str]) -> dict[str, str]:
    """Map names in lower case and one Unicode form to names; names that would collide are omitted."""
    folded: dict[str, list[str]] = {}
    for stem in stems:
        folded.setdefault(unicodedata.normalize("NFC", stem).casefold(), []).append(stem)
    return {key: same[0] for key, same in folded.items() if len(same) == 1}


BATCH = 24


@dataclass(frozen=True)
class FolderScores:
    """The scores of two folders.

    Attributes:
        records: one row per image and metric: image, metric, value, state, protocol.
        summary: one row per metric: title, mean, low, high (95 % interval), n, left_out, protocol.
        notes: remarks for readers.
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
    """Score the edits of one prompt.

    Pictures are decoded by `textedit_bench.data.decode.decode_picture`: upright, 8-bit sRGB, transparency over white;
    notes list the pictures that this changed.

    Inversion and ground truth are unknown, so metrics that need them are omitted. The interval of a mean is
    over images; with one prompt it does not generalise to other prompts.

    Args:
        domain: the domain whose evaluation networks are used.
        source: folder of photos.
        edited: folder of edits; ``a.png`` is the edit of ``a.png`` or ``a.jpg``.
        prompt: the prompt of the edits.
        reference: statistics of real images, for ``fid_real``.

    Raises:
        UserError: a missing folder, no picture, names that do not pair, a damaged file, pictures of different sizes or
            not of the domain's size, or statistics of another feature network.
    """
    names = pair_pictures(source, edited)
    photos, edits = zip(*names.values(), strict=True)
    changes = [*_check("--source", photos, domain), *_check("--edited", edits, domain)]
    suite = Suite(domain)
    own = {name: p for name, p in suite.protocols.items() if p.scope == "image" and "+ref=inversion" not in p.id}
    frames, features = [], []
    for start in range(0, len(names), BATCH):
        part = slice(start, start + BATCH)
        shown, edit = (_read(files[part], domain) for files in (photos, edits))
        columns = suite.score_batch(photos=shown, inversions=shown, edits=edit, prompt=prompt, factors=None)
        if domain.has("features"):
            features.append((suite.features(edit), suite.features(shown)))
        for name, protocol in own.items():
            facts = {"image": list(names)[part], "metric": name, "protocol": protocol.id}
            frames.append(pd.DataFrame({**facts, "value": columns[name].values, "state": columns[name].states}))
    records = pd.concat(frames, ignore_index=True)
    entries = [_entry(name, own[name].title, rows) for name, rows in records.groupby("metric", sort=False)]
    notes = [f"{len(names)} pairs of pictures, one prompt: {prompt.target!r}; intervals are over images"]
    notes += changes
    if source.resolve() == edited.resolve():
        notes.append(f"both folders are {source}: these are the figures of doing nothing")
    statistics = None
    if features:
        of_edits, of_photos = map(np.concatenate, zip(*features, strict=True))
        if len(names) > 1:
            statistics = SetStatistics.of(
                of_edits, weights_sha256=domain.digest("features"), resize="network", source=str(edited)
            )
        entries += _sets(suite.protocols, of_edits, of_photos, statistics, reference)
        if len(names) < FEW:
            notes.append(
                f"set metrics on {len(names)} pictures are biased upwards; do not quote them without that number"
            )
    summary = pd.DataFrame([entry for entry in entries if entry["n"]])
    silent = sorted({str(entry["metric"]) for entry in entries if not entry["n"]})
    if silent:
        notes.append(f"without any value: {', '.join(silent)}")
    return FolderScores(records, summary, tuple(notes), statistics)


def _check(label: str, files: Sequence[Path], domain: Domain) -> list[str]:
    """Decode all files once, so that an unusable one is refused before any work; describe what decoding changed."""
    changed = [(path.name, _decoded(path, domain)[1]) for path in files]
    return [f"{label}: {line}" for line in changes_in_words(changed)]


def _read(files: Sequence[Path], domain: Domain) -> ImageBatch:
    return ImageBatch.of_pixels(np.stack([_decoded(path, domain)[0] for path in files]), domain.device)


def _decoded(path: Path, domain: Domain) -> tuple[Pixels, Sequence[str]]:
    """Return the pixels [H, W, 3] of a picture of the domain's size, and what decoding changed."""
    side = domain.resolution
    try:
        decoded = decode_picture(read_encoded(path))
    except UnusableImageError as error:
        raise UserError(f"picture {path}: cannot be read ({error})") from error
    try:
        return Crop("none", side, domain.tier_card.height)(decoded.image), decoded.changes
    except UnusableImageError as error:
        raise UserError(
            f"picture {path}: {decoded.image.width}x{decoded.image.height}; the evaluation networks of "
            f"{domain.name}, tier {domain.tier} read {side}x{side}"
        ) from error


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
    bounds = bounds_of(name)
    found = two_way_bootstrap(values, bounds=bounds if is_rate(name) else None)
    known = np.isfinite(found.spreads[0].error)
    low, high = (float(found.low[0]), float(found.high[0])) if known else (np.nan, np.nan)
    if bounds is not None and known:
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return {**facts, "mean": float(found.mean[0]), "low": low, "high": high, "n": int(np.isfinite(values).sum())}


def _sets(
    protocols: Mapping[str, Protocol],
    edits: NDArray[np.float32],
    photos: NDArray[np.float32],
    statistics: SetStatistics | None,
    reference: SetStatistics | None,
) -> list[dict[str, object]]:
    """Compute set metrics against the photos, and FID against given statistics."""
    entries: list[dict[str, object]] = []
    blocks = np.arange(len(edits))
    if len(edits) >= 3:
        found = delete_block_jackknife(
            edits, blocks, photos, distance=SET_METRICS["fid_source"].compute, reference_blocks=blocks
        )
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
