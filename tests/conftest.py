"""For every test: the project comes before torch, so that waiting threads sleep in tests as they do for users."""

import textedit_bench  # noqa: F401
