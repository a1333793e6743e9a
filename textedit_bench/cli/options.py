"""Options shared by subcommands, and parsing of lists of values."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from textedit_bench.errors import UserError

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
