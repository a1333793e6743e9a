"""Measured figures of a world with their thresholds, and the table of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEADER = ("part", "figure", "value", "bar", "n", "verdict")


@dataclass(frozen=True)
class Sizes:
    """Numbers of pictures, pairs or codes for the figures."""

    renders: int = 4_000
    subjects: int = 600
    samples: int = 10_000
    inversions: int = 500
    paths: int = 2_000
    codes: int = 4_000
    boundaries: int = 2_048


@dataclass(frozen=True)
class Figure:
    """One measured number and its threshold.

    Attributes:
        part: the network or networks it is about.
        name: what was measured.
        value: the number; None if the weights are missing.
        bar: what it must reach; None if the number stands for information only.
        at_most: the number must not be above the bar, instead of not below.
        n: pictures (or pairs) behind it.
        up_to: where given, the number must also not be above this.
        aim: the bar is what would be like a real generator; missing it does not make the check fail.
    """

    part: str
    name: str
    value: float | None
    bar: float | None
    at_most: bool = False
    n: int = 0
    up_to: float | None = None
    aim: bool = False

    @property
    def passed(self) -> bool:
        """Whether the threshold is reached; a number without one only has to exist."""
        if self.value is None or self.value != self.value:
            return False
        if self.bar is None:
            return True
        if self.at_most:
            return self.value <= self.bar
        return self.value >= self.bar and (self.up_to is None or self.value <= self.up_to)

    @property
    def fails(self) -> bool:
        """Whether it makes the check fail: every missing number, and every missed threshold that is no aim."""
        return not self.passed and not (self.aim and self.value is not None)


def table(figures: Sequence[Figure]) -> list[tuple[str, str, str, str, str, str]]:
    """Return rows of text: part, figure, value, threshold, n, verdict."""
    rows = []
    for f in figures:
        value = "-" if f.value is None else f"{f.value:.{4 if abs(f.value) < 10 else 1 if abs(f.value) < 100 else 0}f}"
        verdict = "pass" if f.passed else ("FAIL" if f.fails else "missed aim")
        rows.append((f.part, f.name, value, _bar(f), str(f.n), "-" if f.passed and f.bar is None else verdict))
    return rows


def _bar(f: Figure) -> str:
    if f.value is None or f.bar is None:
        return "-"
    return f"{f.bar:.2f} to {f.up_to:.2f}" if f.up_to is not None else f"{'<=' if f.at_most else '>='} {f.bar:.2f}"
