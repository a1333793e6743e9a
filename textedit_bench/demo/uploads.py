"""Bound uploads before Gradio reads them, and tell browsers to load nothing from elsewhere."""

from __future__ import annotations

from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

MOST_BYTES, MOST_FILES = 20_000_000, 16
_FORM = 10_000
"""Bytes that a form adds to its file."""
_POLICY = (
    b"default-src 'self' 'unsafe-inline' 'unsafe-eval'; img-src 'self' data: blob:; font-src 'self' data:; "
    b"object-src 'none'; frame-ancestors 'none'"  # Gradio's page consists of scripts and styles within it
)


class Guard:
    """An ASGI layer around the app; ``folder`` is where uploads lie until they are read."""

    def __init__(self, app: Any, folder: Path) -> None:
        self._app, self._folder = app, folder

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/upload"):
            length = dict(scope["headers"]).get(b"content-length", b"")
            if not length.isdigit() or int(length) > MOST_BYTES + _FORM:
                await send({"type": "http.response.start", "status": 413, "headers": []})
                await send({"type": "http.response.body", "body": b"an upload has at most %d bytes" % MOST_BYTES})
                return
            self._make_room()

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", _POLICY)]
            await send(message)

        await self._app(scope, receive, answer)

    def _make_room(self) -> None:
        """Remove the oldest files, those that nobody read; another upload does it where one vanishes meanwhile."""
        with suppress(FileNotFoundError):
            files = sorted(filter(Path.is_file, self._folder.rglob("*")), key=lambda file: file.stat().st_mtime)
            for file in files[: 1 - MOST_FILES]:
                file.unlink()
