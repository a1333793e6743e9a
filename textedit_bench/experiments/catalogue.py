"""Find experiments by name through the entry points ``textedit_bench.experiments``: folders of YAML files."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.resources.abc import Traversable
from pathlib import Path

from textedit_bench.documents import read_document
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.experiments.experiment import Experiment

GROUP = "textedit_bench.experiments"
ENDING = ".yaml"


def experiment_files() -> dict[str, Traversable]:
    """Return name -> file, by name; reads none of them.

    Raises:
        UserError: two folders hold an experiment of the same name.
    """
    found: dict[str, Traversable] = {}
    for point in entry_points(group=GROUP):
        folder: Traversable = point.load()
        for file in folder.iterdir():
            if not file.name.endswith(ENDING):
                continue
            name = file.name.removesuffix(ENDING)
            if name in found:
                raise UserError(f"experiment {name!r} is claimed by {found[name]} and {file}")
            found[name] = file
    return dict(sorted(found.items()))


def experiment_file(name: str) -> Traversable:
    """Return the file of a registered name, or the file at a path.

    Args:
        name: a text that ends in ``.yaml`` or holds a path separator is a path; anything else is a name.

    Raises:
        UserError: unknown name.
    """
    if name.endswith((ENDING, ".yml")) or "/" in name:
        return Path(name).expanduser()
    known = experiment_files()
    if name not in known:
        raise unknown_choice("experiment", name, known)
    return known[name]


def load_experiment(name: str) -> Experiment:
    """Load and validate the experiment of a registered name or of a file.

    Raises:
        UserError: unknown, unreadable, or a field is wrong; the message names field and line.
    """
    where = experiment_file(name)
    experiment = read_document(where, Experiment, "experiment")
    # A copy under another file name is the user's own affair; a registered name must say what the tables will say.
    if not isinstance(where, Path) and where.name.rpartition(".")[0] != experiment.name:
        raise UserError(f"experiment {where}: field name: {experiment.name!r} is not the name of the file")
    return experiment
