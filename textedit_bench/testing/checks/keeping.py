"""Weights and editors that travel: to a file and back, to another process and back."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path

from textedit_bench.models.storage import is_safetensors
from textedit_bench.testing.checks.check import check
from textedit_bench.testing.result import CheckError, DoesNotApplyError
from textedit_bench.testing.subject import Subject


@check(
    "saved and loaded is the same",
    "what save writes, load reads into a fresh editor that then edits alike; the file is safetensors",
    "weights are stored, shared and digested as files; a pickle could run anything on the machine of who loads it",
)
def round_trip(subject: Subject) -> None:
    """Only for methods that train."""
    if subject.info.trains == "none":
        raise DoesNotApplyError("it trains nothing")
    strength = subject.info.strength_default
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        subject.editor().save(path)
        if not path.is_file():
            raise CheckError("save wrote no file at the path it was given")
        if not is_safetensors(path):
            raise CheckError("save wrote something else than safetensors")
        other = subject.new()
        other.load(path)
        worst = subject.differ(subject.pictures(subject.seeded(other, strength)), subject.usual)
    if worst > 1 / 255:
        raise CheckError(f"after saving and loading, pictures differ by {worst:.3g} of [-1, 1]")


@check(
    "picklable",
    "an editor survives pickle, before and after it has edited, and then edits alike",
    "workers of a parallel run get their editors that way; a lambda or an open file in an attribute stops them",
)
def picklable(subject: Subject) -> None:
    """With its domain."""
    editor, strength = subject.editor(), subject.info.strength_default
    for moment in ("fresh", "used"):
        try:
            copy = pickle.loads(pickle.dumps(editor))
        except Exception as error:  # pickle raises whatever a class raises
            raise CheckError(f"a {moment} editor cannot be pickled: {type(error).__name__}: {error}") from error
        worst = subject.differ(subject.pictures(subject.seeded(copy, strength)), subject.usual)
        if worst > subject.tolerance:
            raise CheckError(f"the copy of a {moment} editor gives pictures that differ by {worst:.3g} of [-1, 1]")
        subject.seeded(editor, strength)


CHECKS = (round_trip, picklable)
