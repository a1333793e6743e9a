"""Expectations shared by controls: no difference, or no effect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from textedit_bench.report.control_checks import Finding, RowScores

EXACT = 1e-5
"""Rounding allowed where a value is known: embeddings are float32."""
NOWHERE = 0.1
"""A direction (cosine) up to which a step counts as going nowhere, where no anchor gives the scale."""
SHARE = 0.25
"""Share of the anchor's effect below which an effect counts as none."""


def unchanged(scores: RowScores, against: str, text: str) -> Iterator[Finding]:
    """Expect pictures that equal their reference.

    Args:
        scores: the control's.
        against: end of the names of metrics that compare pictures.
        text: end of the names of metrics that compare with the text.
    """
    for name, wanted in ((f"lpips{against}", 0.0), (f"identity{against}", 1.0), (f"clip_gain{text}", 0.0)):
        values = scores.row.counted(name)
        if len(values):
            away = float(np.abs(values - wanted).max())
            yield f"{name} = {wanted:g}", f"largest deviation {away:.3g}", away <= EXACT * 100 ** (name[0] == "c")
    for name, state in ((f"psnr{against}", "identical"), (f"clip_direction{text}", "no change")):
        if count := scores.count(name):
            other = len(scores.row.counted(name))
            yield f"{name}: {state}", f"{other} of {count} have a value", other == 0


def no_effect(scores: RowScores) -> Iterator[Finding]:
    """Expect no effect of edits that are unrelated to the prompt."""
    for name, limit in (("clip_direction", NOWHERE), ("clip_gain", None)):
        top = scores.truth.mean(name) if scores.truth is not None else np.nan
        bound = max(limit or 0.0, SHARE * top) if np.isfinite(top) else limit
        found = scores.interval(name)
        if found is None or bound is None:
            continue
        mean, low, _ = found
        yield f"{name} at most {bound:.3g}", f"{mean:.3g}, interval from {low:.3g}", low <= bound
