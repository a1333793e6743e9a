"""Bound uploads before Gradio reads them, and tell browsers to load nothing from elsewhere."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.responses import PlainTextResponse

MOST_BYTES = 20_000_000
MOST_FILES = 16
_SLACK = 10_000
"""What a form adds to its file."""
_POLICY = (
    b"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    b"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
)
"""Gradio's page is built by scripts within it; so are its styles."""


class Guard:
    """An ASGI layer around the whole app.

    Args:
        app: what it surrounds.
        folder: where uploads lie until they are read; of older ones only the last `MOST_FILES` are left there.
    """

    def __init__(self, app: Any, folder: Path) -> None:
        self._app, self._folder = app, folder

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/upload"):
            length = dict(scope["headers"]).get(b"content-length", b"")
            if not length.isdigit() or int(length) > MOST_BYTES + _SLACK:
                refusal = PlainTextResponse(f"an upload has at most {MOST_BYTES:,} bytes", 413)
                await refusal(scope, receive, send)
                return
            self.forget(MOST_FILES - 1)

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"content-security-policy", _POLICY)]
            await send(message)

        await self._app(scope, receive, answer)

    def forget(self, kept: int) -> None:
        """Remove all but the newest ``kept`` files."""
        files = sorted((file for file in self._folder.rglob("*") if file.is_file()), key=_written)
        for file in files[: len(files) - kept]:
            file.unlink(missing_ok=True)


def _written(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except FileNotFoundError:  # removed meanwhile
        return 0.0
