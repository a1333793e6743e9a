"""A check: a rule with its reason, and the function that tests it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textedit_bench.errors import UserError
from textedit_bench.testing.result import CheckError, DoesNotApplyError, Result
from textedit_bench.testing.subject import Subject

Look = Callable[[Subject], str | None]


@dataclass(frozen=True)
class Check:
    """One rule that every method has to follow.

    Attributes:
        name: what must hold, in a few words.
        expected: what a method has to do.
        why: the reason for the rule.
        look: raises `CheckError` if the rule is violated, `DoesNotApplyError` if it does not apply; may return a
            note on what is allowed but could be improved.
        of_edits: whether it does not apply to a method that only generates.
    """

    name: str
    expected: str
    why: str
    look: Look
    of_edits: bool = False

    def run(self, subject: Subject) -> Result:
        """Run the check and return its result; any other exception of the method is a failure too."""
        where = subject.domain.name
        try:
            if self.of_edits and "edit" not in subject.info.tasks:
                raise DoesNotApplyError("'edit' is not among its tasks")
            note = self.look(subject)
        except DoesNotApplyError as reason:
            return Result(self.name, "not applicable", self.expected, self.why, str(reason), where)
        except CheckError as broken:
            found = str(broken)
        except UserError as error:
            found = f"it refused: {error}"
        except Exception as error:  # a third-party method may raise anything
            found = f"{type(error).__name__}: {error}"
        else:
            return Result(self.name, "passed", self.expected, self.why, note or "", where)
        return Result(self.name, "failed", self.expected, self.why, found, where)


def check(name: str, expected: str, why: str, *, of_edits: bool = False) -> Callable[[Look], Check]:
    """Convert a function to a `Check`."""
    return lambda look: Check(name, expected, why, look, of_edits)
