"""Strip prefixes that trainers add to parameter names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")

_WRAPPERS = re.compile(r"(^|\.)(?:(?:module|_orig_mod)\.)+")
"""`DataParallel` and `AveragedModel`; `torch.compile`."""
_COUNTER = "n_averaged"
"""Number of steps, which `AveragedModel` stores with the network."""


def plain_names(state: Mapping[str, Value]) -> dict[str, Value]:
    """Return the same values under the names of the unwrapped network, at any depth of wrapping.

    >>> plain_names({"module.encoder.module.body.0.weight": 1})
    {'encoder.body.0.weight': 1}
    """
    plain = {_WRAPPERS.sub(r"\1", str(name)): value for name, value in state.items() if name != _COUNTER}
    return plain if len(plain) == len(state) - (_COUNTER in state) else {str(n): v for n, v in state.items()}
