"""The error of all checkpoint readers."""

from __future__ import annotations

from textedit_bench.errors import UserError


class CheckpointError(UserError):
    """A weights file that cannot be read as requested; one line with the file and the reason."""
