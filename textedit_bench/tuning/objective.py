"""Score a candidate of a tuning by effect and preservation, in one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from textedit_bench.metrics.column import AXES, OK


@dataclass(frozen=True)
class Scored:
    """A candidate at one strength.

    Attributes:
        strength: of the edits.
        effect, kept: means over prompts of the means over images.
        score: their mean.
    """

    strength: float
    effect: float
    kept: float

    @property
    def score(self) -> float:
        """Mean of effect and preservation: a point of one has to be worth a point of the other."""
        return (self.effect + self.kept) / 2.0


def axes_of(records: pd.DataFrame) -> tuple[str, str] | None:
    """Return the first pair of axes that was measured; None if there is none."""
    measured = set(records.loc[records["state"] == OK, "metric"])
    return next((pair for pair in AXES if set(pair) <= measured), None)


def score_strengths(records: pd.DataFrame, axes: tuple[str, str]) -> list[Scored]:
    """Return one entry per strength above 0 at which both axes were measured, ascending.

    Args:
        records: rows of one candidate's cells.
        axes: metrics of effect and of what is kept.
    """
    chosen = records[records["metric"].isin(axes) & (records["state"] == OK) & (records["strength"] > 0)]
    by_prompt = chosen.groupby(["strength", "metric", "prompt_id"], sort=True)["value"].mean()
    means = by_prompt.groupby(["strength", "metric"]).mean().unstack("metric").reindex(columns=list(axes)).dropna()
    return [Scored(float(s), float(row[axes[0]]), float(row[axes[1]])) for s, row in means.iterrows()]


def best(scored: Sequence[Scored]) -> Scored:
    """Return the candidate with the highest score; of equal ones the weakest edit."""
    return max(scored, key=lambda s: (s.score, -s.strength))
