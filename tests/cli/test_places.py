"""A home in which nothing can be written: one line that names the place, the reason and the variable that moves it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from textedit_bench.data.inversion_cache import InversionCache
from textedit_bench.files import PlaceError
from textedit_bench.registry import dataset_names


@pytest.mark.parametrize(
    "words",
    [
        ("assets", "fetch", "clip-b32", "--accept-licence"),
        ("assets", "add", "mine", __file__, "--licence", "MIT"),
        ("datasets", "invert", "--dataset", dataset_names()[0]),
    ],
)
@pytest.mark.parametrize("below", ["", "/folder"])
def test_a_home_that_is_a_file_is_refused_before_anything_is_done(run, tmp_path, monkeypatch, words, below):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", f"{tmp_path}/file{below}")
    ended = run(*words)
    assert ended.code == 2 and len(ended.err.splitlines()) == 1
    assert f"TEXTEDIT_BENCH_HOME {tmp_path}/file{below}: {tmp_path}/file is not a folder" in ended.err


@pytest.mark.parametrize(
    ("words", "place", "write"),
    [
        (("assets", "fetch", "sg2-cat-tf", "--accept-licence"), "assets/accepted.json", "accepted.write_json"),
        (("assets", "add", "mine", __file__, "--licence", "MIT"), "assets/own.yaml", "own.write_text"),
    ],
)
def test_what_cannot_be_written_later_ends_in_one_line_and_exit_code_1(run, tmp_path, monkeypatch, words, place, write):
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"textedit_bench.assets.{write}", full)
    ended = run(*words)
    assert ended.code == 1 and len(ended.err.splitlines()) == 1
    assert f"{tmp_path / place}: cannot be written (No space left on device); TEXTEDIT_BENCH_HOME chooses" in ended.err


def test_codes_that_cannot_be_kept_name_the_place(tmp_path):
    (tmp_path / "inversions").write_text("not a folder")
    cache = InversionCache(tmp_path / "inversions", {}, (8, 4))
    photo = np.zeros((1, 2, 2, 3), np.uint8)
    with pytest.raises(PlaceError, match=r"inversions.*: cannot be written \(Not a directory\); TEXTEDIT_BENCH_HOME"):
        cache.put(cache.key(photo[0]), torch.zeros(2, 4))
