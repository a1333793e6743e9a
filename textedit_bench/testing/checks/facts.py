"""Check a method's card, and its reaction to bad input."""

from __future__ import annotations

import importlib
import json
import re

from textedit_bench.editor import Editor
from textedit_bench.errors import UserError
from textedit_bench.info import MethodInfo
from textedit_bench.testing.checks.check import check
from textedit_bench.testing.result import CheckError
from textedit_bench.testing.subject import Subject

_NAME = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
_CHOICES = {"space": ("w", "w+", "s", "image"), "trains": ("none", "per-prompt", "per-dataset")}


def card_problem(method: type[Editor]) -> str | None:
    """Return the first error of a method's card; None if there is none."""
    info = getattr(method, "info", None)
    if not isinstance(info, MethodInfo):
        return f"`info` is {type(info).__name__}, not a MethodInfo"
    if not _NAME.match(info.name):
        return f"the name {info.name!r} has other characters than lower-case letters, digits and single hyphens"
    for field, choices in _CHOICES.items():
        if getattr(info, field) not in choices:
            return f"{field} is {getattr(info, field)!r}; valid: {', '.join(choices)}"
    if not set(info.tasks) <= {"edit", "generate"}:
        return f"tasks are {info.tasks}; valid: edit, generate"
    if "edit" in info.tasks and not info.strength_meaning:
        return "strength_meaning is empty"
    if not info.strength_default > 0:
        return f"strength_default is {info.strength_default}; it is an edit's, so above 0"
    try:
        json.dumps(info.to_json())
    except (TypeError, ValueError) as error:
        return f"it holds something else than plain values ({error})"
    return _class_problem(method, info)


def _class_problem(method: type[Editor], info: MethodInfo) -> str | None:
    module, _, name = info.editor.partition(":")
    try:
        named = getattr(importlib.import_module(module), name)
    except Exception as error:  # a third-party module may raise anything when imported
        return f"editor {info.editor!r} cannot be imported ({type(error).__name__}: {error})"
    return None if named is method else f"editor {info.editor!r} is another class than the one that is checked"


@check(
    "the card is complete",
    "`info` is a MethodInfo whose name can be a folder, whose fields hold plain, valid values, whose `editor` is this "
    "class, and which states the meaning of strength 1",
    "tables, listings and the identity of every stored result are derived from the card",
)
def card(subject: Subject) -> None:
    """Check the card; needs no network."""
    problem = card_problem(subject.method)
    if problem:
        raise CheckError(problem)


@check(
    "unknown settings are refused",
    "a setting that the card does not know, or a value of another type, is a UserError of one line that names it",
    "if a misspelt setting is ignored, the table shows another experiment than intended",
)
def settings(subject: Subject) -> None:
    """Try an unknown setting, and a value of a wrong type."""
    wrong: list[dict[str, object]] = [{"no_such_setting": 1}]
    known = {**subject.info.settings, **subject.info.training}
    wrong += [{name: object()} for name, value in known.items() if value is not None][:1]
    for given in wrong:
        name = next(iter(given))
        try:
            subject.method(subject.domain, **given)
        except UserError as error:
            if name not in str(error) or "\n" in str(error):
                raise CheckError(f"the message does not name {name!r} in one line: {error}") from error
        else:
            raise CheckError(f"{name}={given[name]!r} was accepted; call super().__init__(domain, **settings)")


CHECKS = (card, settings)
