"""Judge a published value by a measured interval."""

from __future__ import annotations

import math
from enum import StrEnum

from textedit_bench.experiments.measured import Measured
from textedit_bench.experiments.published import Published

_ROUNDING = 1e-9


class Verdict(StrEnum):
    """The possible verdicts."""

    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    INCONCLUSIVE = "inconclusive"
    PROTOCOL_UNKNOWN = "protocol unknown"
    NOT_PUBLISHED = "not published"
    NOT_COMPARABLE = "not comparable"


def judge(measured: Measured, published: Published | None, *, tier: str, margin: float | None) -> tuple[Verdict, str]:
    """Return the verdict on one pair, with its reason.

    Two one-sided tests: ``equivalent`` where the whole interval lies within the margin around the published value (or
    range), ``different`` where it lies wholly outside, ``inconclusive`` where it does neither or is not known. What was
    not measured in the same way is never called different.

    Args:
        measured: with its 95 % interval; nan if unknown.
        published: None if nothing was.
        tier: the measured one's; only ``full`` uses the pictures and networks of publications.
        margin: largest difference that counts as the same; None if none is stated.
    """
    if published is None or published.ends is None:
        return Verdict.NOT_PUBLISHED, "" if published is None else "no verified value"
    if tier != "full":
        return Verdict.NOT_COMPARABLE, tier
    if published.elsewhere:
        return Verdict.NOT_COMPARABLE, f"published on {published.images}"
    if not published.measured_on(measured.device):
        return Verdict.NOT_COMPARABLE, f"measured on {measured.device or 'another device'}"
    if published.protocol == "unknown":
        return Verdict.PROTOCOL_UNKNOWN, ""
    margin = published.margin if published.margin is not None else margin
    if margin is None:
        return Verdict.INCONCLUSIVE, "no margin stated"
    if not math.isfinite(measured.value):
        return Verdict.INCONCLUSIVE, measured.state or "nothing was measured"
    if not (math.isfinite(measured.low) and math.isfinite(measured.high)):
        return Verdict.INCONCLUSIVE, "no interval"
    if not measured.low <= measured.value <= measured.high:
        return Verdict.INCONCLUSIVE, "the value is not in its own interval"
    low, high = published.ends[0] - margin, published.ends[1] + margin
    # 0.7 - 0.1 is not 0.6 in binary: an interval that ends on the margin lies inside.
    slack = _ROUNDING * max(1.0, abs(low), abs(high))
    if low - slack <= measured.low and measured.high <= high + slack:
        return Verdict.EQUIVALENT, ""
    if measured.high < low - slack or measured.low > high + slack:
        return Verdict.DIFFERENT, ""
    return Verdict.INCONCLUSIVE, ""
