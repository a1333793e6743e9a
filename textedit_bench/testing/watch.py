"""Monitor side effects of a method: connections, used networks, global state."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


RANDOM = ("torch's random state", "numpy's random state", "Python's random state")
"""Names of the random states among those of `global_state`."""


@contextmanager
def connections() -> Iterator[list[str]]:
    """Refuse and list all connections and name look-ups of this process in the block; local sockets are allowed."""
    tried: list[str] = []
    connect = socket.socket.connect

    def refuse_connection(self: socket.socket, address: Any, /) -> None:
        if self.family == getattr(socket, "AF_UNIX", None):
            return connect(self, address)
        tried.append(str(address))
        raise ConnectionRefusedError(f"no connections in a conformance check: {address}")

    def refuse_look_up(host: Any, *_: Any, **__: Any) -> Any:
        tried.append(str(host))
        raise socket.gaierror(f"no look-ups in a conformance check: {host}")

    with patch.object(socket.socket, "connect", refuse_connection), patch("socket.getaddrinfo", refuse_look_up):
        yield tried


@contextmanager
def roles_asked(domain: Domain) -> Iterator[set[str]]:
    """Record the roles of the domain's networks that are used in the block."""
    asked: set[str] = set()
    network = domain.network

    def note(role: str) -> Any:
        asked.add(role)
        return network(role)

    domain.network = note  # type: ignore[method-assign]
    try:
        yield asked
    finally:
        del domain.network


@contextmanager
def passes(networks: dict[str, Any]) -> Iterator[dict[str, int]]:
    """Count layer executions of each network in the block: role -> count; 0 if unused."""
    counts = dict.fromkeys(networks, 0)
    hooks = []

    def counter(role: str) -> Any:
        def count(*_: Any) -> None:
            counts[role] += 1

        return count

    for role, network in networks.items():
        if isinstance(network, nn.Module):
            hooks += [part.register_forward_pre_hook(counter(role)) for part in network.modules()]
    try:
        yield counts
    finally:
        for hook in hooks:
            hook.remove()


def global_state() -> dict[str, Any]:
    """Return process-wide settings that affect other code: name -> comparable value."""
    return {
        RANDOM[0]: torch.get_rng_state().numpy().tobytes(),
        RANDOM[1]: repr(np.random.get_state()),  # noqa: NPY002 - watched, not used
        RANDOM[2]: random.getstate(),
        "torch's default dtype": torch.get_default_dtype(),
        "torch's default device": torch.get_default_device(),
        "torch's grad mode": torch.is_grad_enabled(),
        "torch's inference mode": torch.is_inference_mode_enabled(),
        "torch's thread count": torch.get_num_threads(),
        "torch's deterministic mode": torch.are_deterministic_algorithms_enabled(),
        "cudnn's benchmark mode": torch.backends.cudnn.benchmark,
        "the precision of matrix products": torch.get_float32_matmul_precision(),
        "the current folder": os.getcwd(),
        "the environment": dict(os.environ),
    }


def threads_alive() -> dict[threading.Thread, str]:
    """Return running Python threads with their names."""
    return {thread: thread.name for thread in threading.enumerate()}
