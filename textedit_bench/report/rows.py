"""Rows and columns of the table: collected cells grouped into rows, and the format of each metric."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from textedit_bench.controls.cards import copied
from textedit_bench.metrics.column import OK

if TYPE_CHECKING:
    from textedit_bench.report.collect import StoredCell


HEADLINE = (
    "success", "preservation", "clip_score", "clip_score_in_loop", "clip_direction", "identity", "identity_in_loop",
    "lpips", "kid_real", "kid_inversion", "fid_real", "fid_inversion",
)  # fmt: skip
"""Columns of tables, if the domain can measure them; see `headline`.

Every other per-image metric is in the records, and every other set metric can be computed from the features stored with
the cells (`textedit_bench.metrics.sets.set_metric`).
"""

FID_PHOTOS = 480
"""Minimum number of photos for a Frechet distance. With fewer, its bias decides: measured on faces, 24 photos put the
methods in the reverse order of 480. The kernel distance has no bias."""


def headline(photos: int, *, fixed_prompts: bool = False) -> tuple[str, ...]:
    """Return the columns of a table: with FID for many photos that all prompts share, else with KID."""
    other = "kid" if photos >= FID_PHOTOS and not fixed_prompts else "fid"
    return tuple(name for name in HEADLINE if not name.startswith(other))


PERCENT = {"success", "preservation"}
"""Shares, shown in percent and written as fractions in CSV."""
TO_PHOTO = {"identity", "identity_in_loop", "lpips"}
"""Metrics whose titles leave out that they compare with the photo; pages with comparisons to the inversion say it."""


@dataclass(frozen=True)
class ColumnSpec:
    """One metric column.

    Attributes:
        name: the metric's name in the records.
        title: its title.
        higher_is_better: direction of its arrow.
        decimals: digits after the point.
        in_loop: whether methods may have optimised the evaluating network; shown, never ranked.
        scope: ``image`` or ``set``.
    """

    name: str
    title: str
    higher_is_better: bool
    decimals: int
    in_loop: bool
    scope: str

    @property
    def arrow(self) -> str:
        """The arrow of the better direction."""
        return "↑" if self.higher_is_better else "↓"

    @property
    def percent(self) -> bool:
        """Whether it is a share, shown in percent."""
        return self.name in PERCENT

    def text(self, value: float) -> str:
        """Format a value for readers."""
        return f"{100 * value:z.1f}" if self.percent else f"{value:z.{self.decimals}f}"  # z: no -0.00


def column_specs(protocols: Mapping[str, Mapping[str, Any]], names: tuple[str, ...] = HEADLINE) -> list[ColumnSpec]:
    """Return the named columns that were measured, in the given order."""
    facts = ("higher_is_better", "decimals", "in_loop", "scope")
    return [
        ColumnSpec(name, f"{p['title']}, %" if name in PERCENT else p["title"], *(p[fact] for fact in facts))
        for name in names
        if (p := protocols.get(name)) is not None
    ]


TRAINED, UNSEEN = "trained", "unseen"
"""Prompt sets: texts on which some method of the tier was trained, and all others."""


class MixedProtocolsError(ValueError):
    """Values of different protocols would share a column."""


@dataclass(frozen=True)
class EditFeatures:
    """Set-metric features of edits.

    Attributes:
        rows: [n, d].
        sources: position of each edit's photo among those of the data set, ascending [n].
    """

    rows: np.ndarray
    sources: np.ndarray


@dataclass(frozen=True)
class RowCells:
    """The cells behind one table row: one method on one data set for one prompt set."""

    cells: tuple[StoredCell, ...]
    prompt_set: str
    variant: str = ""
    """Settings that distinguish it from other rows of the same method."""

    @property
    def method(self) -> str:
        """Registry name."""
        return self.cells[0].identity.method

    @property
    def title(self) -> str:
        """Title of the row in tables."""
        listing = self.cells[0].listing
        matched = f", {copied(self.method)} of {listing.matched_title}" if listing.matched_title else ""
        return f"{listing.title}{matched}{self.ending}"

    @property
    def ending(self) -> str:
        """End of its title that distinguishes it from other rows of the same method; empty if there are none."""
        return f" ({self.variant})" if self.variant else ""

    @property
    def matched(self) -> str:
        """Name of the method from which a control copies a measure, or empty."""
        return self.cells[0].listing.matched_method or ""

    @property
    def control(self) -> bool:
        """Whether it is a control."""
        return self.cells[0].listing.control

    @property
    def strength(self) -> float:
        """The method's default strength, at which the row is measured."""
        return self.cells[0].listing.default_strength

    @property
    def prompts(self) -> tuple[str, ...]:
        """Prompt ids, sorted."""
        return tuple(cell.identity.prompt_id for cell in self.cells)

    @cached_property
    def records(self) -> pd.DataFrame:
        """Records at the row's strength."""
        frame = pd.concat([cell.records() for cell in self.cells], ignore_index=True)
        return frame[frame["strength"] == self.strength]

    @cached_property
    def means(self) -> pd.DataFrame:
        """Mean of every metric [strengths, metrics] over its values whose state is ok; strengths ascend."""
        records = pd.concat([cell.records() for cell in self.cells], ignore_index=True)
        counted = records[records["state"] == OK]
        return counted.groupby(["strength", "metric"], sort=True, observed=True)["value"].mean().unstack("metric")

    def curve(self, metrics: Sequence[str]) -> pd.DataFrame:
        """Return the mean of each metric at every strength at which all of them were measured."""
        return self.means.reindex(columns=list(metrics)).dropna()

    @cached_property
    def _by_metric(self) -> dict[str, pd.DataFrame]:
        """Metric -> its values that count [prompts, images], cached for tables and figures."""
        known = self.records[self.records["state"] == OK]
        wide = known.pivot(index=["metric", "prompt_id"], columns="image", values="value")
        return {str(metric): values.droplevel(0) for metric, values in wide.groupby(level=0)}

    def counted(self, metric: str) -> np.ndarray:
        """Return the values of an image metric whose state is ok."""
        values = self._by_metric.get(metric, pd.DataFrame()).to_numpy(np.float64)
        return values[np.isfinite(values)]

    def grid(self, metric: str, prompts: Sequence[str], images: Sequence[str]) -> np.ndarray:
        """Return values [prompts, images] of an image metric; nan if the state is not ok or there is no value."""
        values = self._by_metric.get(metric, pd.DataFrame())
        return values.reindex(index=list(prompts), columns=list(images)).to_numpy(np.float64)

    def features(self, images: Sequence[str]) -> EditFeatures | None:
        """Return set-metric features of the row's edits at its strength, grouped by photo; None without any.

        Args:
            images: names of the photos of all prompts.
        """
        where = {name: i for i, name in enumerate(images)}
        found, sources = [], []
        for cell in self.cells:
            stored = cell.features()
            if stored is None:
                return None
            found.append(stored[cell.identity.strengths.index(self.strength)])
            sources.append([where[name] for name in cell.manifest.infer.ids])
        rows, of = np.concatenate(found), np.concatenate(sources)
        order = np.argsort(of, kind="stable")
        return EditFeatures(rows[order], of[order])


def check_protocols(records: pd.DataFrame) -> None:
    """Refuse records in which a metric of a data set has two protocols.

    Raises:
        MixedProtocolsError: naming the metric and both protocol ids.
    """
    for (dataset, metric), ids in records.groupby(["dataset", "metric"], sort=True)["protocol"].unique().items():
        if len(ids) > 1:
            both = " and ".join(sorted(ids))
            raise MixedProtocolsError(f"{metric} on {dataset} was measured by different protocols: {both}")


def make_rows(cells: Sequence[StoredCell]) -> list[RowCells]:
    """Group the cells of one data set into rows: trained prompts first, methods before their controls."""
    groups: dict[tuple[bool, str, str, str, str, str], list[StoredCell]] = {}
    given = {cell.digest: json.dumps(cell.identity.settings, sort_keys=True) for cell in cells}
    for cell in cells:
        unseen = not cell.listing.trained
        matched = cell.listing.matched_method or ""
        settings, like = given[cell.digest], given.get(cell.identity.matched_to or "", "")
        variant = cell.identity.variant
        groups.setdefault((unseen, cell.identity.method, matched, settings, like, variant), []).append(cell)
    variants: dict[str, set[str]] = {}
    for _, method, _, settings, _, _ in groups:
        variants.setdefault(method, set()).add(settings)
    rows = [
        RowCells(
            tuple(sorted(members, key=lambda c: c.identity.prompt_id)),
            UNSEEN if unseen else TRAINED,
            _variant(settings, variants[method]) or _variant(like, variants.get(matched, set())),
        )
        for (unseen, method, matched, settings, like, _), members in groups.items()
    ]
    return sorted(rows, key=lambda r: (r.prompt_set == UNSEEN, r.control, r.method, r.matched, r.title))


def titled(rows: Iterable[RowCells]) -> list[tuple[str, RowCells, list[StoredCell]]]:
    """Join rows of the same title: a method's trained and unseen prompts form one line of a grid or one sheet."""
    joined: dict[str, tuple[RowCells, list[StoredCell]]] = {}
    for row in rows:
        joined.setdefault(row.title, (row, []))[1].extend(row.cells)
    return [(title, row, cells) for title, (row, cells) in joined.items()]


def _variant(settings: str, known: set[str]) -> str:
    """Describe the settings that differ among the variants of a method, as ``name=value``."""
    if not settings or len(known) < 2:
        return ""
    own = json.loads(settings)
    others = [json.loads(other) for other in known]
    differing = [name for name in sorted(own) if any(other.get(name) != own[name] for other in others)]
    return ", ".join(f"{name}={own[name]}" for name in differing)
