"""Find the source line that caused an operation."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from types import FrameType

PROJECT = ("textedit_bench", "textedit_methods", "textedit_datasets", "textedit_experiments")
_HERE = __name__.rpartition(".")[0]


@dataclass(frozen=True)
class Places:
    """Lines of some packages on the call stack.

    Attributes:
        packages: top-level names of the packages whose lines count.
    """

    packages: tuple[str, ...] = PROJECT

    def find(self, depth: int = 1) -> str:
        """Return the innermost lines of the packages, at most ``depth``, as ``package/module.py:line``."""
        frame: FrameType | None = sys._getframe(1)
        found: list[str] = []
        while frame is not None and len(found) < depth:
            name = frame.f_globals.get("__name__", "")
            if name.partition(".")[0] in self.packages and not name.startswith(_HERE):
                file = frame.f_code.co_filename
                parts = name.count(".") + 1 + file.endswith("__init__.py")
                found.append(f"{'/'.join(file.split(os.sep)[-parts:])}:{frame.f_lineno}")
            frame = frame.f_back
        return " < ".join(found) or "?"
