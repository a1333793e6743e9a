"""Two pretended cards for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torchvision  # noqa: F401  # before it is pretended: with torch 2.4 it asks of what kind CUDA's classes are

from textedit_bench.testing.pretend_cuda import PretendCuda


@pytest.fixture(scope="module")
def cuda() -> Iterator[PretendCuda]:
    with PretendCuda(devices=2) as device:
        yield device
