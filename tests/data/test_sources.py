"""Folder, zip and LMDB give the same images in the same order, and say what they expected where they cannot."""

from __future__ import annotations

import errno
import os
import re
import zipfile
from itertools import islice
from pathlib import Path

import lmdb
import pytest

from textedit_bench.data.decode import UnusableImageError
from textedit_bench.data.sources import FolderSource, LmdbSource, ZipSource, folder
from textedit_bench.errors import UserError

IMAGES = {f"n{number}": b"content %d" % number for number in range(8)}


def test_every_entry_comes_in_order_with_its_bytes(write_source):
    source = write_source(IMAGES)
    entries = list(source.entries())
    assert [source.read(entry) for entry in entries] == list(IMAGES.values())
    assert len({entry.key for entry in entries}) == len(IMAGES)
    assert [entry.key for entry in source.entries()] == [entry.key for entry in entries]


def test_bytes_can_be_read_while_the_walk_goes_on(write_source):
    source = write_source(IMAGES)
    assert [source.read(entry) for entry in source.entries()] == list(IMAGES.values())


def test_two_sources_of_one_place_can_be_open_at_once(write_source):
    source = write_source(IMAGES)
    twin = type(source)(source.root if hasattr(source, "root") else source.path)
    pairs = zip(source.entries(), twin.entries(), strict=True)
    assert all(source.read(a) == twin.read(b) for a, b in pairs)


def test_a_flat_folder_is_walked_in_order_with_few_names_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "NAMES_AT_ONCE", 4)
    held = []
    monkeypatch.setattr(folder.heapq, "nsmallest", lambda n, names: held.append(n) or sorted(names)[:n])
    names = [f"{number:03d}.png" for number in range(11)]
    for name in reversed(names):
        (tmp_path / name).write_bytes(b"x")
    assert [entry.key for entry in FolderSource(tmp_path).entries()] == names
    assert held == [4, 4, 4]  # four, four and three names


def test_the_first_names_of_a_folder_need_one_pass(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "NAMES_AT_ONCE", 4)
    passes = []
    scandir = os.scandir
    monkeypatch.setattr(folder.os, "scandir", lambda path: passes.append(path) or scandir(path))
    for number in range(11):
        (tmp_path / f"{number:03d}.png").write_bytes(b"x")
    assert len(list(islice(FolderSource(tmp_path).entries(), 3))) == 3
    assert len(passes) == 1


def test_a_link_back_to_a_folder_ends(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"x")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert [entry.key for entry in FolderSource(tmp_path).entries()] == ["a/1.png"]


def test_files_that_cannot_be_used_are_named_and_the_walk_goes_on(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "b.png").symlink_to("b.png")
    (tmp_path / "c.png").symlink_to("nowhere")
    os.mkfifo(tmp_path / "d.png")
    (tmp_path / "e.png").symlink_to("/dev/zero")
    (tmp_path / "self").symlink_to("self")
    source, said = FolderSource(tmp_path), {}
    for entry in source.entries():
        try:
            said[entry.key] = source.read(entry)
        except UnusableImageError as error:
            said[entry.key] = str(error)
    assert said == {
        "a.png": b"x",
        "b.png": "cannot be read (Too many levels of symbolic links)",
        "c.png": "cannot be read (No such file or directory)",
        "d.png": "not a regular file",
        "e.png": "not a regular file",
    }


def test_a_name_that_is_no_utf8_becomes_a_printable_key(tmp_path):
    for name, data in ((b"a\xff.png", b"1"), ("ü.png".encode(), b"2")):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(data)
    source = FolderSource(tmp_path)
    entries = {entry.key: source.read(entry) for entry in source.entries()}
    assert entries == {"a\\xff.png": b"1", "ü.png": b"2"}
    assert "\n".join(entries).encode()


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".JPG", ".Jpeg"])
def test_jpegs_are_found_under_every_ending_that_programs_give_them(tmp_path, suffix):
    (tmp_path / f"photo{suffix}").write_bytes(b"")
    assert [entry.key for entry in FolderSource(tmp_path).entries()] == [f"photo{suffix}"]


@pytest.mark.parametrize("closed", ["", "sub"])
def test_a_folder_that_cannot_be_opened_is_told(tmp_path, monkeypatch, closed):
    (tmp_path / "sub").mkdir()
    scandir = os.scandir

    def refuses(path):
        if path == tmp_path / closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(folder.os, "scandir", refuses)
    with pytest.raises(UserError, match=rf"{re.escape(str(tmp_path / closed))} cannot be opened \(Permission denied\)"):
        list(FolderSource(tmp_path).entries())


def test_a_zip_that_cannot_be_opened_is_told(tmp_path, monkeypatch):
    def refuses(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    (tmp_path / "a.zip").write_bytes(b"")
    monkeypatch.setattr(Path, "open", refuses)
    with pytest.raises(UserError, match=r"a\.zip: cannot be read \(Permission denied\)"):
        list(ZipSource(tmp_path / "a.zip").entries())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_in_a_zip_is_used_once(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, data in (("a.png", b"first"), ("b.png", b"b"), ("a.png", b"again"), ("a.png", b"and again")):
            archive.writestr(name, data)
    source = ZipSource(tmp_path / "a.zip")
    entries = list(source.entries())
    assert len({entry.key for entry in entries}) == 4
    assert [source.read(entry) for entry in entries[:2]] == [b"first", b"b"]
    for entry in entries[2:]:
        assert entry.key.startswith("a.png@")
        with pytest.raises(UnusableImageError, match="has the same name"):
            source.read(entry)


@pytest.mark.parametrize(
    ("name", "said"),
    [("readme.txt", "holds no pictures"), ("data.mdb", "kind: lmdb"), ("x.tfrecords", "TFRecords"), ("x.zip", "zip")],
)
def test_a_folder_of_another_layout_says_what_was_expected(tmp_path, name, said):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(UserError, match=r"expected files that end in .*00000/00000\.png") as caught:
        list(FolderSource(tmp_path).entries())
    assert said in str(caught.value)


def test_a_zip_of_an_lmdb_says_so(tmp_path):
    with zipfile.ZipFile(tmp_path / "cat.zip", "w") as archive:
        archive.writestr("cat/data.mdb", b"...")
    with pytest.raises(UserError, match=r"no pictures in it, only cat/data\.mdb; .*unpack it .*kind: lmdb"):
        list(ZipSource(tmp_path / "cat.zip").entries())


def test_what_is_no_zip_is_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK but not for long")
    with pytest.raises(UserError, match=r"not a zip, or cut short; expected a zip"):
        list(ZipSource(tmp_path / "a.zip").entries())


def test_a_zip_entry_that_differs_from_its_listing_is_unusable(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", b"A" * 100)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[content.index(b"AAAA")] = ord("B")
    (tmp_path / "a.zip").write_bytes(content)
    source = ZipSource(tmp_path / "a.zip")
    with pytest.raises(UnusableImageError, match="CRC"):
        source.read(next(source.entries()))


def test_a_zip_entry_that_unpacks_to_more_than_it_says_is_unusable(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(1_000_000))
    content = (tmp_path / "a.zip").read_bytes().replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    (tmp_path / "a.zip").write_bytes(content)
    source = ZipSource(tmp_path / "a.zip")
    with pytest.raises(UnusableImageError, match="size or CRC"):
        source.read(next(source.entries()))


def test_a_training_lmdb_of_another_kind_is_refused_with_the_layout_expected(tmp_path):
    with lmdb.open(str(tmp_path / "l"), map_size=1 << 20) as environment, environment.begin(write=True) as writer:
        writer.put(b"128-00000", b"jpeg")
        writer.put(b"length", b"1")
    with pytest.raises(UserError, match=r"first key is b'128-00000'; expected LSUN's layout"):
        list(LmdbSource(tmp_path / "l").entries())


def test_an_empty_lmdb_a_folder_without_one_and_a_damaged_one_are_refused(tmp_path):
    lmdb.open(str(tmp_path / "empty"), map_size=1 << 20).close()
    (tmp_path / "none").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "data.mdb").write_bytes(b"x" * 9000)
    for name, said in (("empty", "is empty"), ("none", "no data.mdb"), ("damaged", "cannot be opened")):
        with pytest.raises(UserError, match=said):
            list(LmdbSource(tmp_path / name).entries())


def _write_lmdb(folder, values=40, size=5000):
    with lmdb.open(str(folder), map_size=1 << 24) as environment, environment.begin(write=True) as writer:
        for number in range(values):
            writer.put(f"{number:040x}".encode(), bytes(size))
    return folder / "data.mdb"


@pytest.mark.parametrize("share", [0.9, 0.1])
def test_an_lmdb_that_is_cut_short_is_refused_with_both_sizes_until_it_is_whole(tmp_path, share):
    file = _write_lmdb(tmp_path / "cut")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UserError, match=rf"cut short: {int(len(whole) * share)} of {len(whole)} bytes"):
        list(LmdbSource(tmp_path / "cut").entries())
    file.write_bytes(whole)
    assert len(list(LmdbSource(tmp_path / "cut").entries())) == 40


def test_an_lmdb_with_damaged_pages_of_keys_is_refused(tmp_path):
    file = _write_lmdb(tmp_path / "damaged", values=2000, size=10)
    content = bytearray(file.read_bytes())
    with lmdb.open(str(tmp_path / "damaged"), readonly=True, lock=False) as environment:
        page = environment.stat()["psize"]
    for start in range(2 * page, len(content), page):
        content[start + 10 : start + 12] = (0x10).to_bytes(2, "little")  # flags of a page: neither branch nor leaf
    file.write_bytes(content)
    with pytest.raises(UserError, match="damaged, its keys cannot be read"):
        list(LmdbSource(tmp_path / "damaged").entries())


def test_a_read_only_lmdb_without_its_lock_file_opens(tmp_path):
    with lmdb.open(str(tmp_path / "l"), map_size=1 << 20) as environment, environment.begin(write=True) as writer:
        writer.put(b"0" * 40, b"value")
    (tmp_path / "l" / "lock.mdb").unlink()
    source = LmdbSource(tmp_path / "l")
    assert [source.read(entry) for entry in source.entries()] == [b"value"]
    assert not (tmp_path / "l" / "lock.mdb").exists()
