"""Collect the stored records that may share a table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textedit_bench.bench.cell import MANIFEST, CellIdentity, Listing, Manifest, read_manifest
from textedit_bench.bench.inputs import REFERENCE
from textedit_bench.bench.kept import CellPictures
from textedit_bench.bench.pictures import Pixels
from textedit_bench.bench.scoring import COST, FEATURES, RECORDS, read_table
from textedit_bench.bench.store import Store
from textedit_bench.metrics.column import OK
from textedit_bench.report.rows import TRAINED, RowCells, make_rows

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


@dataclass(frozen=True)
class StoredCell:
    """A scored cell in the store."""

    path: Path
    manifest: Manifest

    @cached_property
    def identity(self) -> CellIdentity:
        """Values of which its digest is computed."""
        return CellIdentity.model_validate(self.manifest.identity)

    @property
    def listing(self) -> Listing:
        """What tables show about it."""
        return self.manifest.listing

    @property
    def digest(self) -> str:
        """Its digest, the name of its folder."""
        return self.path.name

    @property
    def protocol_key(self) -> str:
        """Properties that comparable cells share: images, networks, strengths, seed, kind of device, precision.

        Cells of one census have different images, but share the set from which these were chosen.
        """
        names = ("images", "networks", "strengths", "seed", "device", "precision")
        kept = {name: value for name, value in self.manifest.identity.items() if name in names}
        if pool := self.identity.images.pool:
            kept["images"] = pool
        return json.dumps(kept, sort_keys=True)

    def records(self) -> pd.DataFrame:
        """One row per image x strength x metric."""
        return read_table(self.path / RECORDS)

    def scores(self, strength: float) -> pd.DataFrame:
        """Images by name x metrics, nan where a metric has no value."""
        records = self.records()
        known = records[(records["strength"] == strength) & (records["state"] == OK)]
        wide = known.pivot(index="image", columns="metric", values="value")
        return wide.reindex(self.manifest.infer.ids)

    def cost(self) -> pd.DataFrame:
        """One row per stage."""
        return read_table(self.path / COST)

    def pictures(self, images: Sequence[str], strengths: Sequence[float]) -> list[Pixels]:
        """Read edits of some images, 8-bit, one [n, H, W, 3] per strength; synthesised again if not kept.

        Raises:
            PicturesGoneError: they were not kept and cannot be synthesised again.
        """
        return CellPictures(self.path, self.manifest, self._domain).read(images, strengths)

    def _domain(self) -> Domain:
        """Load the domain with the networks of the bench that computed the cell."""
        asked = self.manifest.infer.request.get("datasets") or ()
        cards = [name for name in asked if name.endswith((".yaml", ".yml"))]
        return _load_domain(cards[0] if len(asked) == len(cards) == 1 else self.identity.dataset, self.identity.tier)

    def features(self) -> np.ndarray | None:
        """Set-metric features [strengths, N, d], None if there are none."""
        where = self.path / FEATURES
        return load_arrays(where)["features"] if where.exists() else None


@dataclass(frozen=True)
class CellFilter:
    """Criteria by which stored cells of a data set are comparable with a run.

    Attributes:
        protocol_key: of the run's cells.
        prompts: ids of its prompts; empty means any.
        digests: its own cells, preferred if another cell differs only in the method's weights.
        protocols: metric name -> protocol of the run.
    """

    protocol_key: str
    prompts: frozenset[str]
    digests: frozenset[str]
    protocols: Mapping[str, Mapping[str, Any]]


@dataclass
class ComparableCells:
    """Comparable cells of one data set, with remarks about them."""

    dataset: str
    cells: list[StoredCell]
    inputs: Path | None
    notes: list[str] = field(default_factory=list)
    """Remarks for readers of the table."""

    @cached_property
    def rows(self) -> list[RowCells]:
        """The cells as table rows; their records are read once."""
        return make_rows(self.cells)

    def put_in_order(self, titles: Sequence[str]) -> None:
        """Sort the rows of each prompt set as their titles."""
        self.rows.sort(key=lambda row: (row.prompt_set != TRAINED, titles.index(row.title)))

    @property
    def fixed_prompts(self) -> bool:
        """Whether the prompts are a census: the whole population, each with its own photos."""
        return any(cell.identity.images.pool for cell in self.cells)

    @cached_property
    def images(self) -> tuple[str, ...]:
        """Names of all photos of any prompt, in the order of the split."""
        used = dict.fromkeys(name for cell in self.cells for name in cell.manifest.infer.ids)
        return tuple(name for name in self.pool if name in used) if self.fixed_prompts else tuple(used)

    @cached_property
    def pool(self) -> tuple[str, ...]:
        """Names of the photos that are stored with their inversions and features, in the order of the files."""
        manifest = None if self.inputs is None else read_manifest(self.inputs)
        if manifest is not None:
            return tuple(manifest.infer.ids)
        return tuple(sorted({name for cell in self.cells for name in cell.manifest.infer.ids}))

    @cached_property
    def references(self) -> dict[str, np.ndarray]:
        """Set-metric features ``photo`` and ``inversion`` of `images` [N, d], and of real photos; empty if none."""
        where = self.inputs / FEATURES if self.inputs else None
        if where is None or not where.exists():
            return {}
        stored = load_arrays(where)
        if not self.fixed_prompts:
            return stored
        there = [self.pool.index(name) for name in self.images]
        return {name: rows if name == REFERENCE else rows[there] for name, rows in stored.items()}


@lru_cache(maxsize=1)
def _load_domain(dataset: str, tier: str) -> Domain:
    from textedit_bench.domain import load_domain

    return load_domain(dataset, tier)


def stored_cells(store: Store, tier: str) -> list[StoredCell]:
    """List every scored cell of a tier."""
    return [StoredCell(path, manifest) for path, manifest in store.manifests(tier)]


def uncopied(cells: Sequence[StoredCell]) -> list[StoredCell]:
    """Return the cells that state a run's protocol: no copies, which may have fewer strengths, if there are others."""
    return [cell for cell in cells if cell.identity.matched_to is None] or list(cells)


def collect(dataset: str, cells: Sequence[StoredCell], wanted: CellFilter) -> ComparableCells:
    """Select the cells of a data set that may share a table with a run.

    Among cells that differ only in weights or code version, the run's own is selected, else the one edited last. Cells
    with scores of other protocols are excluded and counted.
    """
    own = [cell for cell in cells if cell.identity.dataset == dataset]
    # Copies may have fewer strengths than the protocol: they are as comparable as their sources.
    sources = {cell.digest for cell in own if cell.protocol_key == wanted.protocol_key}
    comparable = [
        cell
        for cell in own
        if (cell.identity.matched_to or cell.digest) in sources
        and (not wanted.prompts or cell.identity.prompt_id in wanted.prompts)
    ]
    current = [cell for cell in comparable if cell.manifest.protocols == wanted.protocols]
    notes = []
    if len(current) < len(comparable):
        old = len(comparable) - len(current)
        notes.append(f"{old} stored cells of {dataset} have older scores and are left out; bench them again to rescore")
    plain = _newest([cell for cell in current if cell.identity.matched_to is None], wanted)
    kept = {cell.digest: _slot(cell)[:-1] for cell in plain}  # of any prompt: benches may copy different ones
    chosen = plain + _newest([cell for cell in current if cell.identity.matched_to in kept], wanted, kept)
    chosen.sort(key=_slot)
    folder = None
    if chosen:
        inputs = chosen[0].path.parent.parent / "_inputs" / chosen[0].manifest.infer.inputs
        folder = inputs if (inputs / MANIFEST).exists() else None
        if _lacks_reference(inputs / FEATURES):
            notes.append(
                f"{dataset}: no metric compares with real photos: there are too few apart from the edited ones"
            )
    return ComparableCells(dataset, chosen, folder, notes)


def _lacks_reference(features: Path) -> bool:
    """Whether the inputs were prepared with too few reference photos."""
    if not features.exists():
        return False
    with np.load(features, allow_pickle=False) as stored:
        return REFERENCE not in stored.files


def _newest(
    cells: Sequence[StoredCell], wanted: CellFilter, matched: Mapping[str, tuple[str, ...]] | None = None
) -> list[StoredCell]:
    """Select one cell per table entry, and of copies one per copied cell.

    A control shows every edit of its method once. Benches of different prompts pair them differently, so their copies
    together could show an edit twice.
    """
    chosen: list[StoredCell] = []
    taken: set[tuple[str, ...]] = set()
    order = sorted(cells, key=lambda c: (c.digest in wanted.digests, c.manifest.infer.finished, c.digest), reverse=True)
    for cell in order:
        slot, source = _slot(cell), cell.identity.matched_to or ""
        keys = {slot} if matched is None else {(*slot, *matched[source]), (*slot[:-1], source)}
        if taken.isdisjoint(keys):
            chosen.append(cell)
            taken |= keys
    return chosen


def _slot(cell: StoredCell) -> tuple[str, ...]:
    """Return the key of a cell's table entry, equal for versions of the same entry."""
    i = cell.identity
    matched = cell.listing.matched_method or ""
    return (i.method, i.variant, matched, json.dumps(i.settings, sort_keys=True), i.prompt_id)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Load the arrays of an ``.npz``; pickles are refused."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
