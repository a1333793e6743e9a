"""Write the package of a new method from the templates of this package.

A template is a text with ``$name`` placeholders (`string.Template`); its path below the kind's folder, without
``.tmpl`` and with ``package`` replaced, is the path of the file it becomes.
"""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal, get_args

from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.files import write_text
from textedit_bench.registry import method_names

Kind = Literal["latent", "image", "trained"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""``latent`` edits codes, ``image`` returns pictures, ``trained`` has a network of its own."""

_NAME = re.compile(r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")
_SUFFIX = ".tmpl"
_COMMON = "common"


@dataclass(frozen=True)
class Skeleton:
    """The names of a new method.

    Attributes:
        name: as typed on the command line, ``"my-method"``.
        kind: which template.
    """

    name: str
    kind: Kind

    @property
    def package(self) -> str:
        """The Python package, ``"my_method"``."""
        return self.name.replace("-", "_")

    @property
    def class_name(self) -> str:
        """The editor's class, ``"MyMethod"``."""
        return "".join(part.capitalize() for part in self.name.split("-"))

    @property
    def title(self) -> str:
        """Its title in tables, ``"My Method"``."""
        return " ".join(part.capitalize() for part in self.name.split("-"))


def next_commands(name: str, kind: str, place: str, dataset: str) -> list[str]:
    """Return the commands from a new package to its row in a table, in order.

    Args:
        name: of the method.
        kind: one of `KINDS`.
        place: folder of the package.
        dataset: on which it is trained and benched.
    """
    train = f"textedit-bench train --method {name} --dataset {dataset}"
    return [
        f"pip install -e {place} --no-deps --no-build-isolation",
        f"textedit-bench check {name}",
        *([train] if kind == "trained" else []),
        f"textedit-bench bench --method {name} --dataset {dataset}",
    ]


def write_skeleton(name: str, kind: str, parent: Path, dataset: str = "ffhq") -> list[Path]:
    """Write the package of a new method into a new folder ``<parent>/<name>``.

    Args:
        name: of the method: lower-case letters, digits and single hyphens.
        kind: one of `KINDS`.
        parent: folder that the new one is made in.
        dataset: which its README names.

    Returns:
        The files, in order of their paths.

    Raises:
        UserError: a name that cannot be one or is taken, an unknown kind, or a folder that is there already.
    """
    known = next((k for k in KINDS if k == kind), None)
    if known is None:
        raise unknown_choice("kind", kind, KINDS)
    skeleton = Skeleton(name, known)
    _check_name(skeleton)
    folder = parent / name
    if folder.exists():
        raise UserError(f"name: {folder} exists already; valid: a name whose folder does not, or --output elsewhere")
    texts = _texts(skeleton, "\n".join(next_commands(name, known, ".", dataset)))
    try:
        for path, text in texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            write_text(folder / path, text)
    except OSError as error:
        raise UserError(f"output: {folder} cannot be written ({error.strerror or error})") from error
    return sorted(folder / path for path in texts)


def _check_name(skeleton: Skeleton) -> None:
    name, package = skeleton.name, skeleton.package
    if not _NAME.match(name):
        raise UserError(
            f"name: {name!r} cannot name a method; valid: lower-case letters, digits and single hyphens, a letter first"
        )
    if name in method_names():
        raise UserError(f"name: a method {name!r} is installed already; valid: any other name")
    taken = package in sys.stdlib_module_names or keyword.iskeyword(package)
    if taken or importlib.util.find_spec(package) is not None:
        raise UserError(f"name: the Python module {package!r} exists already; valid: a name that no package has")


def _texts(skeleton: Skeleton, commands: str) -> dict[str, str]:
    """Return path -> text of every file."""
    values = {
        "name": skeleton.name,
        "package": skeleton.package,
        "cls": skeleton.class_name,
        "title": skeleton.title,
        "commands": commands,
    }
    texts: dict[str, str] = {}
    for folder in (_COMMON, skeleton.kind):
        root = Path(str(files("textedit_bench.plugins"))) / "templates" / folder
        for template in sorted(root.rglob(f"*{_SUFFIX}")):
            path = template.relative_to(root).as_posix().removesuffix(_SUFFIX).replace("package", skeleton.package)
            texts[path] = Template(template.read_text(encoding="utf-8")).substitute(values)
    return texts
