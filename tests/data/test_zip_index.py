"""The table of contents against Python's own reader, and against damage."""

from __future__ import annotations

import contextlib
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.data.sources.archive import ZipLayoutError, read_index

names = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=("Cs",)), min_size=1, max_size=12)


def _zip(files, comment=b"", before=b""):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, (data, packed) in files.items():
            archive.writestr(name, data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
        archive.comment = comment
    return before + buffer.getvalue()


@settings(max_examples=80, deadline=None)
@given(
    files=st.dictionaries(names, st.tuples(st.binary(max_size=30), st.booleans()), max_size=6),
    comment=st.binary(max_size=20),
    before=st.binary(max_size=9),
)
def test_it_lists_what_pythons_reader_lists(files, comment, before):
    content = _zip(files, comment.replace(b"PK", b""), before)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        expected = [
            (i.filename, i.compress_type, i.CRC, i.compress_size, i.file_size, i.header_offset)
            for i in archive.infolist()
        ]
    found = list(read_index(io.BytesIO(content)))
    assert [(e.name, e.method, e.crc, e.packed, e.size, e.offset) for e in found] == expected


def test_more_entries_than_16_bits_count_are_all_listed():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(65_540):
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    assert sum(1 for _ in read_index(buffer)) == 65_540


@settings(max_examples=120, deadline=None)
@given(at=st.integers(0, 400), value=st.integers(0, 255), cut=st.integers(0, 60))
def test_damage_is_read_or_refused(at, value, cut):
    content = bytearray(_zip({"a.png": (b"abc" * 9, True), "b.png": (b"d", False)}))
    content[at % len(content)] = value
    with contextlib.suppress(ZipLayoutError):
        list(read_index(io.BytesIO(bytes(content[: len(content) - cut]))))


def test_what_is_no_zip_is_refused():
    with pytest.raises(ZipLayoutError, match="not a zip"):
        list(read_index(io.BytesIO(b"hello")))
