"""Check that a method works on the domain's device, including a second GPU; an emulated one is used."""

from __future__ import annotations

import traceback

from textedit_bench.editor import Editor, Latents
from textedit_bench.testing.checks.check import check
from textedit_bench.testing.pretend_cuda import PretendCuda, watched_steps
from textedit_bench.testing.pretend_cuda.record import Seen
from textedit_bench.testing.result import CheckError
from textedit_bench.testing.subject import Subject

DEVICE = "cuda:1"
_SHOWN = 8


@check(
    "works on a GPU (emulated)",
    f"on a domain whose networks are on {DEVICE} it trains and edits there: no operator gets tensors of two "
    "devices, no tensor is created on another GPU, results are on the device, and no step of an optimisation "
    "synchronises it",
    "full-size networks need a GPU, and nodes have several; a synchronisation at every step leaves it idle",
)
def works_on_a_device(subject: Subject) -> str | None:
    """Run on an emulated GPU (`textedit_bench.testing.pretend_cuda`), with the author's line for every fault."""
    packages = authors(subject.method)
    with PretendCuda(devices=2, strict=False, only=1, packages=packages) as cuda, watched_steps(cuda) as steps:
        there = subject.on(DEVICE)
        try:
            editor, latents = there.editor(), there.fresh_latents()
            _refuse("CUDA would refuse", cuda.record.mixes)
            there.seeded(editor, latents=latents)  # what is done once is done by now
            cuda.clear()
            edit = there.seeded(editor, latents=latents)
            waits = +cuda.syncs
            _refuse("CUDA would refuse", cuda.record.mixes)
            _check_place(edit)
            there.pictures(edit)
        except CheckError:
            raise
        except Exception as error:
            _refuse("CUDA would refuse", cuda.record.mixes)
            raise CheckError(f"{type(error).__name__}: {error}{_line_of(error, packages)}") from error
        _refuse("every step synchronises the device:", steps.waits())
        return f"an edit waits for the device: {_told(waits)}" if waits else None


def authors(method: type[Editor]) -> tuple[str, ...]:
    """Return the top-level packages of a method's own code."""
    modules = {base.__module__ for base in method.__mro__} | {method.edit.__module__, method.edit_sweep.__module__}
    tops = {module.partition(".")[0] for module in modules}
    return tuple(sorted(tops - {Editor.__module__.partition(".")[0], "abc", "builtins", "typing"}))


def _refuse(what: str, seen: Seen) -> None:
    if seen:
        raise CheckError(f"{what} {_told(seen)}")


def _told(seen: Seen) -> str:
    shown = [f"{name} at {line}" + (f" ({times} times)" if times > 1 else "") for (name, line), times in seen.items()]
    more = f"; and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return "; ".join(shown[:_SHOWN]) + more


def _check_place(edit: Latents | object) -> None:
    made = edit.codes if isinstance(edit, Latents) else edit
    device = getattr(made, "device", None)
    if str(device) != DEVICE:
        raise CheckError(f"it returns tensors on {device}")


def _line_of(error: Exception, packages: tuple[str, ...]) -> str:
    """Return the innermost line of the author's code in an error's traceback."""
    lines = [
        f"{frame.f_code.co_filename}:{number}"
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").partition(".")[0] in packages
    ]
    return f", at {lines[-1]}" if lines else ""


CHECKS = (works_on_a_device,)
