"""Report failures of the machine in one line: a traceback does not help with a full disk."""

from __future__ import annotations

from textedit_bench.files import disk_is_full
from textedit_bench.places import HOME

_MEMORY = ("OutOfMemoryError", "can't allocate memory", "CUDA out of memory", "MemoryError", "failed to map segment")


def machine_failure(error: BaseException) -> str | None:
    """Describe a failure of the machine in one line; None if the error is of another kind.

    Commands write files atomically, so nothing has to be cleaned up.
    """
    place = getattr(error, "filename", None)
    where = f"{place}: " if place else ""
    if disk_is_full(error):
        return f"{where}the disk is full ({_reason(error)}); what was finished is kept. {HOME} moves what is fetched"
    if isinstance(error, OSError) and error.errno is not None and place is not None:
        return f"{where}{_reason(error)}"
    if isinstance(error, OSError) and error.errno is not None:
        return f"the system refused: {_reason(error)}"
    if isinstance(error, MemoryError) or any(sign in f"{type(error).__name__}: {error}" for sign in _MEMORY):
        return f"memory ran out ({_reason(error)}); fewer images, smaller batches or another device need less"
    return None


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or (str(error).splitlines() or [""])[0] or type(error).__name__
    return str(text)[:200]
