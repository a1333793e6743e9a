"""Print the oldest versions that pyproject.toml allows, as requirements: those of every feature, not of what develops.

`make test-lowest` installs them. An exact version for each is what the bound promises; a resolver that only prefers old
versions may step over one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[1] / "pyproject.toml"
NOT_TRIED = ("dev", "docs", "demo")
"""What develops; and the demo, since no Gradio of its kind works with the oldest typer."""


def lowest(project: dict[str, Any]) -> Iterator[str]:
    """``name==version`` for each direct requirement of a ``[project]`` table.

    Raises:
        ValueError: a requirement without a lowest version.
    """
    extras = project["optional-dependencies"]
    features = [text for name, texts in extras.items() if name not in NOT_TRIED for text in texts]
    for text in [*project["dependencies"], *features]:
        bound = re.fullmatch(r"([\w.-]+)>=([\w.]+)(,.*)?", text)
        if bound is None:
            raise ValueError(f"{text}: expected name>=version")
        yield f"{bound[1]}=={bound[2]}"


if __name__ == "__main__":
    print("\n".join(lowest(tomllib.loads(FILE.read_text(encoding="utf-8"))["project"])))
