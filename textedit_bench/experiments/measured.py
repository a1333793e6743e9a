"""One measured value of an experiment."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Heading:
    """Title, unit and format of a metric.

    Attributes:
        title: its name for a reader.
        higher_is_better: direction of its arrow; None if neither direction is better.
        decimals: digits after the point.
        percent: a share, shown in percent.
    """

    title: str
    higher_is_better: bool | None = None
    decimals: int = 3
    percent: bool = False

    @property
    def text(self) -> str:
        """Title, unit and arrow."""
        arrow = {None: "", True: " ↑", False: " ↓"}[self.higher_is_better]
        return f"{self.title}{', %' if self.percent and '%' not in self.title else ''}{arrow}"

    def number(self, value: float) -> str:
        """Format a value for readers."""
        if not math.isfinite(value):
            return "-"
        text = f"{100 * value:.1f}" if self.percent else f"{value:.{self.decimals}f}"
        return text if text.strip("-0.") else text.lstrip("-")  # no minus in front of a zero


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A value with its uncertainty, or a state that explains its absence.

    Attributes:
        dataset, method, setting, metric: keys for matching published values.
        title: title of the method; empty for values without a method.
        heading: heading of the metric.
        value: nan if nothing was measured.
        low, high: 95 % interval; nan if unknown.
        n: number of measured values.
        best: best of its block, or not significantly worse.
        control: whether the row is a control of the harness.
        state: why there is no value; empty if there is one.
        device: what a time was measured on.
    """

    dataset: str
    method: str
    setting: str
    metric: str
    heading: Heading
    title: str = ""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    n: int = 0
    best: bool = False
    control: bool = False
    state: str = ""
    device: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Key for matching published values."""
        return self.dataset, self.method, self.setting, self.metric

    def lacking(self, state: str) -> Measured:
        """Return the same entry without a value."""
        return replace(self, value=math.nan, low=math.nan, high=math.nan, n=0, best=False, state=state)
