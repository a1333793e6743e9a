"""Read YAML and JSON files as validated data: an error names the file, the field and the line."""

from __future__ import annotations

from collections.abc import Hashable
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from textedit_bench.errors import UserError

M = TypeVar("M", bound=BaseModel)
LARGEST = 1_000_000
"""Maximum number of values of a document, since nested aliases can expand a few lines without limit."""


class StrictModel(BaseModel):
    """A part of an untrusted file: no further fields, no conversions, only finite numbers."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class FieldError(ValueError):
    """Error of a model validator about one of its fields.

    Args:
        where: the field below the model: names and positions.
        message: the error.
    """

    def __init__(self, where: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.where = where


def read_document(where: Traversable, model: type[M], what: str, **more: Any) -> M:
    """Read and validate a YAML mapping.

    Args:
        where: the file.
        model: what it has to be.
        what: name of such a file in messages, such as ``card``.
        more: fields that are not in the file.

    Raises:
        UserError: the file is missing, is not YAML, or a field is wrong; the message names field and line.
    """
    try:
        text = where.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{what} {where}: cannot be read ({error})") from error
    try:
        node = yaml.compose(text, Loader=_OnceEach)
        if _expanded(node, {}) > LARGEST:
            raise ValueError(f"written out without its aliases it has more than {LARGEST} values")
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}:" if mark else ""
        problem = " ".join(str(getattr(error, "problem", None) or error).split())
        raise UserError(f"{what} {where}:{line} not valid YAML ({problem})") from error
    if not isinstance(data, dict):
        raise UserError(f"{what} {where}: line 1: expected a mapping of fields, got {type(data).__name__}")
    try:
        return model.model_validate({**data, **more})
    except RecursionError as error:
        raise UserError(f"{what} {where}: line 1: it is nested too deeply") from error
    except ValidationError as error:
        # A misspelt field is both unknown and missing; the misspelt one is in the file.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        cause = first.get("ctx", {}).get("error")
        location = first["loc"] + (cause.where if isinstance(cause, FieldError) else ())
        field = ".".join(str(part) for part in location)
        others = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        message = " ".join(f"field {field}: {first['msg'].removeprefix('Value error, ')}{others}".split())
        raise UserError(f"{what} {where}: line {_line(node, location)}: {message}") from error


def read_json_document(path: Path, model: type[M], what: str, largest: int) -> M:
    """Read and validate an untrusted JSON file.

    Args:
        path: the file.
        model: what it has to be.
        what: name of such a file in messages.
        largest: maximum size in bytes.

    Raises:
        UserError: the file cannot be read, is too large, is not JSON, or a field is wrong.
    """
    try:
        if (size := path.stat().st_size) > largest:
            raise UserError(f"{what} {path}: it has {size} bytes; valid: at most {largest}")
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"{what} {path}: it cannot be read ({error.strerror or error})") from error
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = ".".join(map(str, first["loc"]))[:80] or "the file"
        message = " ".join(first["msg"].removeprefix("Value error, ").split())[:200]
        raise UserError(f"{what} {path}: field {field}: {message}") from error


class _OnceEach(yaml.SafeLoader):  # type: ignore[misc] # PyYAML has no types
    """Refuses duplicate keys in a mapping: the later one would silently replace the first."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            # Merge keys (<<) are not expanded yet, so overriding a merged key is not a duplicate.
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if (key.tag, key.value) in seen:
                    problem = f"the key {key.value!r} stands twice in one mapping"
                    raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
                seen.add((key.tag, key.value))
        return node


def _expanded(node: Any, known: dict[int, int]) -> int:
    """Count the values of a YAML tree with all aliases expanded; more than `LARGEST` if one contains itself."""
    if id(node) not in known:
        known[id(node)] = LARGEST + 1  # the count while it is in progress: the node contains itself
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        pairs = [part for pair in parts for part in pair] if isinstance(node, yaml.MappingNode) else parts
        known[id(node)] = 1 + sum(_expanded(part, known) for part in pairs)
    return known[id(node)]


def _line(node: Any, location: tuple[Hashable, ...]) -> int:
    """Return the line (from 1) of the deepest part of ``location`` that exists in the YAML tree."""
    line: int = node.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == str(part)]
            if not found:
                # pydantic inserts the kind of a tagged union, which is not a key of the file
                continue
            line, node = found[0][0].start_mark.line + 1, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
