"""The error every checkpoint reader raises."""

from __future__ import annotations

from textedit_bench.errors import UserError


class CheckpointError(UserError):
    """A weights file that cannot be read as what was asked for; one line that names the file and the reason."""
