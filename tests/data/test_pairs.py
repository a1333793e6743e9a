"""Photos and edits are paired by name, whatever a file system or program made of it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textedit_bench.errors import UserError
from textedit_bench.metrics.folders import pair_pictures

NAMES = st.text(st.sampled_from("aBéÜñ7_ 猫-."), min_size=1, max_size=6).filter(lambda name: name.strip(". "))
ENDINGS = st.sampled_from([".png", ".PNG", ".jpg", ".JPEG", ".webp", ".tif", ".bmp", ".gif", ".ppm"])


def write(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return folder


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.data())
def test_names_that_differ_in_ending_case_or_unicode_form_are_one(tmp_path_factory, data):
    names = data.draw(
        st.lists(NAMES, min_size=1, max_size=4, unique_by=lambda n: unicodedata.normalize("NFC", n).casefold())
    )
    names = [f"x{name}" for name in names]  # a leading point hides a file
    root = tmp_path_factory.mktemp("pairs")
    changes = st.sampled_from([str, str.upper, lambda n: unicodedata.normalize("NFD", n)])
    photos = {name: f"{name}{data.draw(ENDINGS)}" for name in names}
    edits = {name: f"{data.draw(changes)(name)}{data.draw(ENDINGS)}" for name in names}
    found = pair_pictures(write(root / "a", *photos.values()), write(root / "b", *edits.values()))
    assert {pair[0].name: pair[1].name for pair in found.values()} == {photos[n]: edits[n] for n in names}


def test_names_that_are_equal_come_before_those_that_are_alike(tmp_path):
    photos, edits = write(tmp_path / "a", "a.png", "A.png"), write(tmp_path / "b", "A.jpg", "a.jpg")
    assert {k: (p.name, e.name) for k, (p, e) in pair_pictures(photos, edits).items()} == {
        "A": ("A.png", "A.jpg"),
        "a": ("a.png", "a.jpg"),
    }


@pytest.mark.parametrize(
    ("photos", "edits", "said"),
    [
        (["a.png"], ["b.png"], "'a' .and 0 more. has no partner"),
        (["a.png", "b.png"], ["a.png"], "'b' .and 0 more. has no partner"),
        (["a.png"], ["a.png", "b.png", "c.png"], "'b' .and 1 more. has no partner"),
        (["a.png", "A.png"], ["a.png"], "'A' .and 0 more. has no partner"),
        (["é.png", "É.png"], ["E\u0301.png", "e\u0301.png", "x.png"], "has no partner"),
        (["a.png", "a.jpg"], ["a.png"], "--source: .* holds several pictures called 'a': a.jpg and a.png"),
        ([], ["a.png"], "--source: .* holds no picture"),
        (["a.png"], [], "--edited: .* holds no picture"),
        (["a.png"], ["a.txt", "._a.png"], "--edited: .* holds no picture"),
    ],
)
def test_what_does_not_pair_is_named(tmp_path, photos, edits, said):
    with pytest.raises(UserError, match=said):
        pair_pictures(write(tmp_path / "a", *photos), write(tmp_path / "b", *edits))
