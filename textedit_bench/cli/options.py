"""Options and groups of subcommands, lists of values, and examples of help texts with installed names."""

from __future__ import annotations

import inspect
import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.registry import dataset_names, method_info, method_names

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""The parser's error for invalid arguments: click's class in older versions of typer, later typer's."""


class Group(TyperGroup):
    """Command group that raises `textedit_bench.errors.UserError` for an unknown command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the named command, or raise an error that lists all."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            raise unknown_choice("command", args[0], self.commands)
        return super().resolve_command(ctx, args)


def new_app(**options: Any) -> typer.Typer:
    """Create an app with our settings: plain help that works in pipes, plain tracebacks, visible defaults."""
    return typer.Typer(cls=Group, rich_markup_mode=None, pretty_exceptions_enable=False, **options)


FACES = "ffhq"


def with_names(text: str) -> str:
    """Replace ``METHOD`` and ``DATASET`` in the indented example lines by registered names.

    The method is the first one that edits, or, for ``GENERATOR``, that generates pictures from a text, without files
    that nobody can train; the data set is the faces, which fit the examples' prompts, if installed.
    """
    if "GENERATOR" in text:
        text = text.replace("GENERATOR", _first("generate"))
    method, dataset = _first("edit"), example_dataset()
    return "\n".join(
        line.replace("METHOD", method).replace("DATASET", dataset) if line.startswith("  textedit-bench") else line
        for line in inspect.cleandoc(text).splitlines()
    )


def example_dataset() -> str:
    """Return the data set that examples name: the faces if installed."""
    names = dataset_names() or ["DATASET"]
    return FACES if FACES in names else names[0]


@cache
def _first(task: str) -> str:
    for name in method_names():
        try:
            info = method_info(name)
        except UserError:  # a broken plugin is listed elsewhere
            continue
        if task in info.tasks and not info.miniature and not info.control:
            return name
    return "METHOD"


Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of a table.")]
Tier = Annotated[str, typer.Option("--tier", "-t", metavar="TIER", help="mini, full, or auto (full if complete).")]
Source = Annotated[
    str | None,
    typer.Option("--source", metavar="SOURCE", help="Other photos: samples, or a folder, zip, LMDB or file of codes."),
]
Device = Annotated[str, typer.Option("--device", metavar="DEVICE", help="cpu, cuda or cuda:<index>.")]
Results = Annotated[Path, typer.Option("--results", metavar="FOLDER", help="Folder of the results.")]
OneDataset = Annotated[
    str, typer.Option("--dataset", "-d", metavar="NAME|CARD", help="Data set name, alias, or path to a card.")
]
OneMethod = Annotated[str, typer.Option("--method", "-m", metavar="NAME", help="Method name; see: methods.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="A setting of the method, instead of its default; repeatable."),
]


def split_list(option: str, text: str | None) -> tuple[str, ...]:
    """Split the items of a list option; an option that was not given has none.

    Items are separated by commas, or by semicolons if there is one, so that a text may contain commas.

    Raises:
        UserError: the option was given but has no item, or an empty one.
    """
    if text is None:
        return ()
    items = tuple(item.strip() for item in text.removesuffix(";").split(";" if ";" in text else ","))
    if not all(items):
        raise UserError(f"{option}: an item of {text!r} is empty; valid: items separated by commas or semicolons")
    return items


def split_numbers(option: str, text: str | None) -> tuple[float, ...]:
    """Parse the numbers of a list option.

    Raises:
        UserError: an item is not a number.
    """
    numbers = []
    for item in split_list(option, text):
        try:
            numbers.append(float(item))
        except ValueError:
            raise UserError(f"{option}: {item!r} is not a number; valid: numbers separated by commas") from None
    return tuple(numbers)


def read_cards(option: str, text: str | None) -> tuple[int, ...]:
    """Parse indices of CUDA devices: ``"0,1"`` -> ``(0, 1)``.

    Raises:
        UserError: an item is not a whole number.
    """
    items = split_list(option, text)
    for item in items:
        if not item.isdecimal():
            raise UserError(f"{option}: {item!r} is not a device index; valid: indices such as 0,1")
    return tuple(map(int, items))


def read_shares(option: str, text: str | None) -> dict[str, float]:
    """Parse GPU fractions: ``"METHOD=1,0.25"`` -> ``{"METHOD": 1.0, "": 0.25}``; the empty name is for all others.

    Raises:
        UserError: an item is not a number, or a name is given twice.
    """
    shares: dict[str, float] = {}
    for item in split_list(option, text):
        name, _, number = item.rpartition("=")
        if name in shares:
            raise UserError(f"{option}: {name or 'the number for all methods'} is given twice")
        try:
            shares[name] = float(number)
        except ValueError:
            raise UserError(f"{option}: {item!r} is not a number or METHOD=NUMBER") from None
    return shares


def read_settings(items: Sequence[str] | None, option: str = "--set") -> dict[str, Any]:
    """Parse settings: ``["epochs=3", "codes=drawn"]`` -> ``{"epochs": 3, "codes": "drawn"}``; not JSON means text.

    Raises:
        UserError: an item without ``=``, a name given twice, or a number that is not finite.
    """
    settings: dict[str, Any] = {}
    for item in items or ():
        name, equals, value = item.partition("=")
        if not (name and equals):
            raise UserError(f"{option}: {item!r} is not NAME=VALUE")
        if name in settings:
            raise UserError(f"{option}: {name!r} is given twice")
        settings[name] = _value(value, option)
    return settings


def _value(text: str, option: str) -> Any:
    def finite(number: str) -> float:
        if not math.isfinite(float(number)):
            raise UserError(f"{option}: {number} is not a finite number")
        return float(number)

    try:
        return json.loads(text, parse_constant=finite, parse_float=finite)
    except json.JSONDecodeError:
        return text
    except UserError:
        raise
    except (ValueError, RecursionError) as error:  # thousands of digits, or of brackets
        raise UserError(f"{option}: a value of {len(text)} characters cannot be read ({error})") from None
