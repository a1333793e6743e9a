"""Connect to a Ray cluster: that of ``RAY_ADDRESS``, or a new one on this machine."""

from __future__ import annotations

import logging
import os
import socket
from typing import Any

from textedit_bench.errors import UserError
from textedit_bench.extras import needs_extra

PATIENCE = 8.0
"""Timeout in seconds for connecting to a cluster, and for its first answer; Ray itself would try for three minutes."""
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""Start of a gRPC connection, the protocol of Ray: the preface of HTTP/2 and empty settings (RFC 9113, 3.4)."""
_SETTINGS = 4
"""Type of the HTTP/2 frame that answers it."""


def connect() -> tuple[Any, bool]:
    """Connect to a cluster; return Ray, and whether the cluster was started here.

    Raises:
        UserError: Ray is not installed, or the cluster cannot be reached.
    """
    with needs_extra("ray", "engine ray"):
        import ray
    if ray.is_initialized():
        return ray, False
    address = os.environ.get("RAY_ADDRESS", "")
    try:
        _call(address)
        ray.init(address=address or "local", include_dashboard=False, logging_level=logging.WARNING)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        where = f"the cluster at RAY_ADDRESS={address!r}" if address else "a cluster on this machine"
        raise UserError(
            f"ray: {where} cannot be reached ({first_line(error)}); start one with: ray start --head"
        ) from error
    return ray, True


def _call(address: str) -> None:
    """Check that a Ray server answers at ``host:port``; other forms of address are left to Ray, which checks them fast.

    Raises:
        OSError: nothing answers at the address, or the answer is not Ray's protocol.
    """
    host, colon, port = address.rpartition(":")
    if not colon or "/" in address:
        return
    if not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise OSError(f"{port!r} is not a port; valid: host:port")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE) as call:
        if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
            return
        call.sendall(_GREETING)
        answer = call.recv(9)  # a frame's head: length, kind, flags, stream
    if len(answer) < 4 or answer[3] != _SETTINGS:
        raise OSError("the answer is not from Ray")


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or the error's class name if it has none."""
    lines = str(error).strip().splitlines()
    return " ".join((lines[0] if lines else type(error).__name__).split())[:200]
