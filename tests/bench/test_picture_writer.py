"""Pictures are encoded beside other work: in order, within bounds, and never lost in silence."""

from __future__ import annotations

import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import textedit_bench.bench.pictures as module
from textedit_bench.bench.pictures import PictureWriter, read_pictures, write_pictures
from textedit_bench.data.pixels import Pixels, encode_png


def _pictures(count: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (count, 6, 5, 3), dtype=np.uint8)


@settings(max_examples=20, deadline=None)
@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4), threads=st.integers(1, 4), most=st.integers(0, 400))
def test_the_file_does_not_depend_on_threads_or_room(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], threads: int, most: int
) -> None:
    folder = tmp_path_factory.mktemp("zip")
    files = []
    for name, options in (("one.zip", {"threads": 1}), ("many.zip", {"threads": threads, "waiting_bytes": most})):
        with PictureWriter(folder / name, **options) as writer:
            for batch, size in enumerate(sizes):
                names = [f"{batch}-{i}" for i in range(size)]
                writer.add({"weak": _pictures(size, batch), "strong": _pictures(size, batch + 9)}, names)
        files.append((folder / name).read_bytes())
    assert files[0] == files[1]
    with zipfile.ZipFile(folder / "many.zip") as archive:
        expected = [f"{g}/{b}-{i}.png" for b, size in enumerate(sizes) for g in ("weak", "strong") for i in range(size)]
        assert archive.namelist() == expected and archive.testzip() is None


def test_a_picture_shown_in_every_group_is_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(picture: Pixels) -> bytes:
        made.append(picture)
        return encode_png(picture)

    monkeypatch.setattr(module, "encode_png", counted)
    pictures = _pictures(3)
    write_pictures(tmp_path / "x.zip", {"0": pictures, "0.5": pictures.copy(), "1": _pictures(3, 1)}, ["a", "b", "c"])
    assert len(made) == 6
    found = read_pictures(tmp_path / "x.zip", ["a", "b", "c"], ["0", "0.5"])
    assert np.array_equal(found["0.5"], pictures) and np.array_equal(found["0"], pictures)


def test_handing_in_returns_at_once_until_so_many_bytes_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go, pictures = threading.Event(), _pictures(8)

    def slow(picture: Pixels) -> bytes:
        assert go.wait(20)
        return encode_png(picture)

    monkeypatch.setattr(module, "encode_png", slow)
    with PictureWriter(tmp_path / "x.zip", threads=2, waiting_bytes=4 * pictures[0].nbytes) as writer:
        writer.add({"1": pictures[:4]}, list("abcd"))
        assert not go.is_set(), "four pictures wait"
        rest = threading.Thread(target=writer.add, args=({"1": pictures[4:]}, list("efgh")))
        rest.start()
        rest.join(0.2)
        assert rest.is_alive(), "a fifth has no room"
        go.set()
        rest.join(20)
        assert writer._waiting <= 4 * pictures[0].nbytes
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert len(archive.namelist()) == 8


@pytest.mark.parametrize("batches", [1, 3])
def test_an_error_of_a_thread_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int) -> None:
    def fail(_picture: Pixels) -> bytes:
        raise MemoryError("no room to encode")

    monkeypatch.setattr(module, "encode_png", fail)
    before = threading.active_count()
    with pytest.raises(MemoryError, match="no room"), PictureWriter(tmp_path / "x.zip", waiting_bytes=0) as writer:
        for batch in range(batches):
            writer.add({"1": _pictures(2)}, [f"{batch}a", f"{batch}b"])
    assert threading.active_count() == before
    assert not list(tmp_path.iterdir())


def test_an_error_of_the_caller_ends_the_threads_and_leaves_no_file(tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), PictureWriter(tmp_path / "x.zip") as writer:
        writer.add({"1": _pictures(4)}, list("abcd"))
        raise ZeroDivisionError
    assert threading.active_count() == before
    assert not list(tmp_path.iterdir())
