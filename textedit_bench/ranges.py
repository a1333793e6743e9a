"""Define and check valid values of settings."""

from __future__ import annotations

import math
from dataclasses import dataclass

from textedit_bench.errors import UserError


@dataclass(frozen=True)
class NumberRange:
    """Numbers from ``low`` to ``high``, both included.

    Attributes:
        low: the smallest one.
        high: the largest one.
        above: whether ``low`` itself is excluded.
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False

    def __contains__(self, value: float) -> bool:
        """Whether a number is one of them; nan never is."""
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def describe(self, whole: bool = False) -> str:
        """Describe the range for an error: ``whole numbers from 1``, ``0 to 1``, ``above 0, at most 0.5``.

        Args:
            whole: whether the setting takes only whole numbers.
        """
        limited = math.isfinite(self.high)
        if self.above:
            return f"above {self.low:g}" + (f", at most {self.high:g}" if limited else "")
        if limited:
            return f"{self.low:g} to {self.high:g}"
        return f"{'whole numbers' if whole else 'numbers'} from {self.low:g}"


AT_LEAST_ONE = NumberRange(1)
NOT_NEGATIVE = NumberRange(0)
POSITIVE = NumberRange(0, above=True)
UNIT_INTERVAL = NumberRange(0, 1)

MACHINE = 2**63
"""The first whole number that tensors and random generators do not accept."""

Valid = NumberRange | tuple[str, ...]
"""A range of numbers, or a list of names."""


def check_whole(name: str, value: object, *, low: int, below: float = math.inf) -> None:
    """Check that a value is a whole number of at least ``low``.

    Args:
        name: its name in the error.
        value: any value; unlike in Python, True is not 1.
        low: the smallest one.
        below: exclusive upper limit of machine integers, not mentioned in errors.

    Raises:
        UserError: names the field, the value and what is valid.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value < below:
        raise UserError(f"{name}: {value!r} is not valid; valid: whole numbers from {low}")
