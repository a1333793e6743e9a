"""Group collected cells into table rows, with titles and values as arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from textedit_bench.controls.cards import copied
from textedit_bench.metrics.column import OK

if TYPE_CHECKING:
    from textedit_bench.report.collect import StoredCell

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
        variant = f" ({self.variant})" if self.variant else ""
        return f"{listing.title}{matched}{variant}"

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
    for cell in cells:
        unseen = not cell.listing.trained
        matched = cell.listing.matched_method or ""
        settings = json.dumps(cell.identity.settings, sort_keys=True)
        like = _matched_settings(cell, cells)
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


def _matched_settings(cell: StoredCell, cells: Sequence[StoredCell]) -> str:
    matched = cell.identity.matched_to
    return next((json.dumps(c.identity.settings, sort_keys=True) for c in cells if c.digest == matched), "")


def _variant(settings: str, known: set[str]) -> str:
    """Describe the settings that differ among the variants of a method, as ``name=value``."""
    if not settings or len(known) < 2:
        return ""
    own = json.loads(settings)
    others = [json.loads(other) for other in known]
    differing = [name for name in sorted(own) if any(other.get(name) != own[name] for other in others)]
    return ", ".join(f"{name}={own[name]}" for name in differing)
