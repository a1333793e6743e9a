"""Two pretended cards for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from textedit_bench.testing.pretend_cuda import PretendCuda


@pytest.fixture(scope="module")
def cuda() -> Iterator[PretendCuda]:
    with PretendCuda(devices=2) as device:
        yield device
