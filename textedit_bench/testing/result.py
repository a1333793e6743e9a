"""Results of conformance checks."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["passed", "failed", "not applicable"]


class CheckError(AssertionError):
    """A method violates a rule; the message describes the violation."""


class DoesNotApplyError(Exception):
    """A check does not apply to a method; the message is the reason."""


@dataclass(frozen=True)
class Result:
    """The result of one check.

    Attributes:
        check: its name.
        state: its outcome.
        expected: what a method has to do.
        why: the reason for the rule.
        found: the violation, or why the check does not apply; a note if it passed.
        where: the data set of the result.
    """

    check: str
    state: State
    expected: str
    why: str
    found: str = ""
    where: str = ""

    def text(self) -> str:
        """Format as one line if passed, else as a paragraph."""
        place = f" [{self.where}]" if self.where else ""
        if self.state == "passed":
            return f"passed: {self.check}{place}" + (f"; note: {self.found}" if self.found else "")
        if self.state == "not applicable":
            return f"not applicable: {self.check}{place}: {self.found}"
        details = {"found": self.found, "expected": self.expected, "because": self.why}
        lines = [f"  {name + ':':10}{text}" for name, text in details.items()]
        return "\n".join([f"FAILED: {self.check}{place}", *lines])

    def to_json(self) -> dict[str, str]:
        """Return plain values."""
        return asdict(self)


class ConformanceError(AssertionError):
    """A method failed checks; the message lists every failure.

    Attributes:
        results: of all checks, passed ones included.
    """

    def __init__(self, method: str, results: list[Result]) -> None:
        self.results = results
        failed = [result for result in results if result.state == "failed"]
        super().__init__(
            f"{method}: {len(failed)} of {len(results)} checks failed\n" + "\n".join(r.text() for r in failed)
        )
