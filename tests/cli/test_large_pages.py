"""The command line asks torch for large pages, and leaves a user's own choice alone."""

from __future__ import annotations

import os

import pytest

from textedit_bench.cli.main import main


@pytest.mark.parametrize(("given", "kept"), [(None, "1"), ("0", "0")])
def test_large_pages_are_asked_for_unless_the_user_chose(monkeypatch, given, kept):
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE", raising=False)
    if given is not None:
        monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", given)
    main(["--version"])
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == kept
