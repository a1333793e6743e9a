"""The rule that fills a parity fixture: every weight and input is a pure function of its name.

Value of a name: standard normals (float64) of numpy's PCG64, seeded by the first 8 bytes, little endian, of
SHA-256("salt|name"), scaled by kind and rounded once to float32.
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

# FFCLIP only: gains that keep its softmaxes and its norm over nearly constant vectors well behaved.
_GAINS = (
    (re.compile(r"^att_mapper\.\d+\.[qk]_matrix\.weight$"), 0.3),
    (re.compile(r"^att_mapper\.\d+\.v_matrix\.weight$"), 10.0),
    (re.compile(r"attention_layer\.k_matrix\.weight$"), 3.0),
)


def normals(name: str, shape: list[int], salt: str) -> NDArray[np.float64]:
    """Standard normals of one named array."""
    seed = int.from_bytes(hashlib.sha256(f"{salt}|{name}".encode()).digest()[:8], "little")
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(math.prod(shape)).reshape(shape)


def weight(name: str, shape: list[int], salt: str) -> NDArray[np.float32]:
    """A parameter of a linear layer or of a norm."""
    value = normals(name, shape, salt)
    if name.endswith("bias"):
        value = 0.1 * value
    elif len(shape) == 1:
        value = 1.0 + 0.1 * value
    else:
        gain = next((gain for pattern, gain in _GAINS if pattern.search(name)), 1.0)
        value = gain * value / math.sqrt(math.prod(shape[1:]))
    return value.astype(np.float32)


def source(manifest: dict[str, Any], name: str) -> NDArray[np.float32]:
    """A normal input of the fixture."""
    spec = manifest["inputs"][name]
    value = spec.get("shift", 0.0) + spec.get("scale", 1.0) * normals(f"input:{name}", spec["shape"], manifest["salt"])
    return value.astype(np.float32)
