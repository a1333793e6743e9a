"""A hundred thousand entries are opened without being listed: few bytes, little memory."""

from __future__ import annotations

import pytest

from textedit_workshop.perf.sources import KINDS, opening, write_source


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_opening_a_hundred_thousand_entries_takes_few_bytes_and_little_memory(tmp_path, kind):
    found = opening(kind, write_source(kind, tmp_path, 100_000))
    assert found.entries == 100_000
    assert found.peak_bytes < 300e6
    assert found.read_bytes is None or found.read_bytes < 1e6


@pytest.mark.parametrize("kind", KINDS)
def test_opening_costs_the_same_for_ten_times_as_many(tmp_path, kind):
    small, large = (opening(kind, write_source(kind, tmp_path / str(n), n)) for n in (200, 2000) if _made(tmp_path, n))
    assert large.entries == 2000
    if small.read_bytes is not None and large.read_bytes is not None:
        assert large.read_bytes <= small.read_bytes + 200_000
    assert large.peak_bytes <= small.peak_bytes + 20e6


def _made(root, number):
    (root / str(number)).mkdir()
    return True
