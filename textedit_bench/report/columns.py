"""Define the table's columns and the format of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
