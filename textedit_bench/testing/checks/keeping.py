"""Check that weights and editors can be saved, sent to another process, and resumed after an interruption."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torch.optim.optimizer import register_optimizer_step_post_hook

from textedit_bench.models.storage import is_safetensors
from textedit_bench.testing.checks.check import check
from textedit_bench.testing.result import CheckError, DoesNotApplyError
from textedit_bench.testing.subject import Subject


@check(
    "saved and loaded is the same",
    "a new editor that loads the saved file gives the same edits; the file is safetensors",
    "weights are stored, shared and hashed as files; a pickle could execute any code when loaded",
)
def round_trip(subject: Subject) -> None:
    """Check saving and loading; only for methods that train."""
    if subject.info.trains == "none":
        raise DoesNotApplyError("it trains nothing")
    strength = subject.info.strength_default
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        subject.editor().save(path)
        if not path.is_file():
            raise CheckError("save wrote no file at the path it was given")
        if not is_safetensors(path):
            raise CheckError("save did not write safetensors")
        other = subject.new()
        other.load(path)
        worst = subject.differ(subject.pictures(subject.seeded(other, strength)), subject.usual)
    if worst > 1 / 255:
        raise CheckError(f"after saving and loading, pictures differ by {worst:.3g} of [-1, 1]")


@check(
    "picklable",
    "an editor can be pickled before and after an edit, and the copy gives the same edits",
    "workers of a parallel run get pickled editors; a lambda or an open file in an attribute prevents this",
)
def picklable(subject: Subject) -> None:
    """Check pickling with the domain."""
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


@check(
    "a stopped training goes on",
    "a training that is interrupted and resumed with the same folder ends with the weights of an uninterrupted "
    "training",
    "trainings take hours to days, and machines interrupt them",
)
def goes_on(subject: Subject) -> None:
    """Interrupt a training in the middle and resume; one that keeps nothing restarts, and passes too."""
    if subject.info.trains == "none":
        raise DoesNotApplyError("it trains nothing")
    if not subject.trainable:
        raise DoesNotApplyError("its card names no `trial` settings, so that a training may take days")
    with tempfile.TemporaryDirectory() as folder:
        whole, stopped = Path(folder) / "whole", Path(folder) / "stopped"
        with _steps() as counted:
            wanted = subject.train(whole).read_bytes()
        if counted[0] < 2:
            raise DoesNotApplyError(f"a training of {counted[0]} steps has no middle")
        try:
            with _steps(stop_after=counted[0] // 2 + 1) as before:
                subject.train(stopped)
        except _StoppedError:
            pass
        else:
            raise CheckError("an error in the middle of the training did not get out of fit")
        with _steps() as after:
            found = subject.train(stopped).read_bytes()
    if found != wanted:
        raise CheckError(f"stopped after {before[0]} of {counted[0]} steps, it ended with other weights")
    if before[0] + after[0] < counted[0]:
        raise CheckError(f"it took {before[0]} steps, then {after[0]}; an undisturbed training takes {counted[0]}")


class _StoppedError(Exception):
    """Represents any interruption of a training."""


@contextmanager
def _steps(stop_after: int = 0) -> Iterator[list[int]]:
    """Count the steps of all torch optimisers in the block; raise after one of them unless that is 0."""
    count = [0]

    def step(*_: object) -> None:
        count[0] += 1
        if count[0] == stop_after:
            raise _StoppedError

    hook = register_optimizer_step_post_hook(step)
    try:
        yield count
    finally:
        hook.remove()


CHECKS = (round_trip, picklable, goes_on)
