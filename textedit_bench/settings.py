"""Define the settings of a method once: name, default, valid values, description and origin of the default."""

from __future__ import annotations

from typing import Any, Literal, get_args

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from textedit_bench.ranges import NumberRange, Valid

Source = Literal["paper", "code", "ours"]
"""Origin of a default: the paper, the released code, or ours."""


class MethodSettings(BaseModel):
    """A method's settings with their defaults; fields are created by `edit_setting` and `training_setting`.

    Choices are a `Literal`; bounds of numbers are ``ge``, ``gt`` and ``le``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def defaults(cls, *, training: bool) -> dict[str, Any]:
        """Return name -> default of the edit's settings, or of the training's."""
        return {
            name: field.default for name, field in cls.model_fields.items() if _marked(field, "training") == training
        }

    @classmethod
    def learnt(cls) -> list[str]:
        """Return names of the settings that affect a training: its own, and those of an edit that it uses too."""
        return [name for name, field in cls.model_fields.items() if _marked(field, "learnt")]

    @classmethod
    def later(cls) -> dict[str, Any]:
        """Return name -> default of the settings that are part of a cell's identity only where they differ from it."""
        return {name: field.default for name, field in cls.model_fields.items() if _marked(field, "later")}

    @classmethod
    def valid(cls) -> dict[str, Valid]:
        """Return name -> valid values that the type alone does not determine."""
        found = {name: _words(field) or _numbers(field) for name, field in cls.model_fields.items()}
        return {name: values for name, values in found.items() if values is not None}

    @classmethod
    def help(cls) -> dict[str, str]:
        """Return name -> description."""
        return {name: field.description or "" for name, field in cls.model_fields.items()}


def edit_setting(
    default: Any, help: str, *, source: Source = "ours", learnt: bool = False, later: bool = False, **bounds: float
) -> Any:
    """Define a setting of every edit, part of a cell's identity.

    Args:
        default: its value where none is given.
        help: what it is.
        source: of the default.
        learnt: whether the training uses it too.
        later: whether it was added when results were stored already, which its default does not change: there it is no
            part of their identity, and they stay valid.
        bounds: of a number.
    """
    return _setting(default, help, source, training=False, learnt=learnt, later=later, **bounds)


def training_setting(default: Any, help: str, *, source: Source = "ours", **bounds: float) -> Any:
    """Define a setting of the training; edits depend on it only through the weights."""
    return _setting(default, help, source, training=True, learnt=True, later=False, **bounds)


def _setting(
    default: Any, help: str, source: Source, *, training: bool, learnt: bool, later: bool, **bounds: float
) -> Any:
    extra: dict[str, Any] = {"source": source, "training": training, "learnt": learnt, "later": later}
    return Field(default, description=help, json_schema_extra=extra, **bounds)  # type: ignore[call-overload]


def _marked(field: FieldInfo, mark: str) -> bool:
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra[mark])


def _words(field: FieldInfo) -> tuple[str, ...] | None:
    return get_args(field.annotation) or None


def _numbers(field: FieldInfo) -> NumberRange | None:
    if not field.metadata:
        return None
    low, high, above = float("-inf"), float("inf"), False
    for bound in field.metadata:
        match bound:
            case Ge(ge=value):
                low = float(value)  # type: ignore[arg-type]
            case Gt(gt=value):
                low, above = float(value), True  # type: ignore[arg-type]
            case Le(le=value):
                high = float(value)  # type: ignore[arg-type]
    return NumberRange(low, high, above)
