"""Replacements of ``torch.cuda`` functions and classes for the emulated device."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from textedit_bench.testing.pretend_cuda.device import PretendCuda

CARD_BYTES = 80 * 2**30
"""Memory of a pretended card."""
_SILENT = ("_lazy_init", "init", "empty_cache", "manual_seed", "manual_seed_all", "set_rng_state", "set_rng_state_all")


def answers(cuda: PretendCuda) -> dict[str, Any]:
    """Return functions and classes of ``torch.cuda``: name -> replacement."""
    state = torch.Generator().get_state()
    memory = cuda.memory

    class Event:
        """A mark in a stream; everything before it has happened already."""

        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def record(self, *_: Any) -> None: ...
        def wait(self, *_: Any) -> None: ...
        def query(self) -> bool:
            return True

        def elapsed_time(self, _: Any) -> float:
            return 0.0

        def synchronize(self) -> None:
            cuda.wait("synchronize")

    class Stream(Event):
        """A queue of work."""

        def wait_stream(self, _: Any) -> None: ...
        def wait_event(self, _: Any) -> None: ...
        def record_event(self, _: Any = None) -> Event:
            return Event()

    def forget(*_: Any) -> None:
        memory.start()

    def number(value: Any) -> Any:
        return lambda *_, **__: value

    properties = SimpleNamespace(
        name="pretended GPU", total_memory=CARD_BYTES, major=9, minor=0, multi_processor_count=132
    )
    # A function of its own for each: torch's compiler refuses one object under two names.
    silent = {name: number(None) for name in _SILENT}
    return silent | {
        "is_available": number(True),
        "is_initialized": number(True),
        "_is_in_bad_fork": number(False),
        "is_bf16_supported": number(True),
        "device_count": lambda: cuda.count,
        "current_device": lambda: cuda.now,
        "set_device": cuda.set_device,
        "get_device_name": number(properties.name),
        "get_device_properties": number(properties),
        "get_device_capability": number((properties.major, properties.minor)),
        "synchronize": lambda *_: cuda.wait("synchronize"),
        "memory_allocated": lambda *_: memory.live,
        "max_memory_allocated": lambda *_: memory.peak,
        "reset_peak_memory_stats": forget,
        "mem_get_info": lambda *_: (max(0, CARD_BYTES - memory.live), CARD_BYTES),
        "get_rng_state": lambda *_: state.clone(),
        "get_rng_state_all": lambda: [state.clone() for _ in range(cuda.count)],
        "Event": Event,
        "Stream": Stream,
        "current_stream": lambda *_: Stream(),
        "stream": number(nullcontext()),
    }


class CardGenerator(torch.Generator):
    """``torch.Generator`` for the emulated device: draws on the CPU and reports the GPU."""

    _card: torch.device | None

    def __new__(cls, device: torch.device | str | int = "cpu") -> CardGenerator:
        """Create one that draws on the CPU, for any device."""
        from textedit_bench.testing.pretend_cuda.tensor import pretending

        made = super().__new__(cls)
        where = pretending().device(device)
        made._card = where if where.type == "cuda" else None
        return made

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """The device for which it was created."""
        return self._card or torch.device("cpu")
