"""Images by number out of a stream with bad ones in it: the same whatever was read before and whoever decodes."""

from __future__ import annotations

import multiprocessing

from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.data.crop import Crop
from textedit_bench.data.reader import Reader
from textedit_bench.data.sources import Entry

SQUARE = Crop("square", 8)


def test_bad_images_are_skipped_counted_and_named(write_source, mixed, usable):
    reader = Reader(write_source(mixed), SQUARE)
    pictures = list(reader.read(0, 100))
    names = list(mixed)
    assert len(pictures) == len(usable)
    assert [names[skipped.position] for skipped in reader.skipped] == [name for name in mixed if name not in usable]
    reasons = {names[skipped.position]: skipped.reason for skipped in reader.skipped}
    assert reasons["empty"] == "empty"
    assert "12000x12000 pixels" in reasons["bomb"]
    assert "not a picture" in reasons["text"]
    assert all(picture.pixels.shape == (8, 8, 3) for picture in pictures)
    by_name = dict(zip(usable, pictures, strict=True))
    assert by_name["deep"].pixels[4].max() == 255
    assert abs(int(by_name["cmyk"].pixels[4, 4, 0]) - 200) < 6


class Listed:
    """A source of numbers in memory; what is listed as bad cannot be decoded."""

    def __init__(self, bad, length):
        self.bad, self.length, self.walks = set(bad), length, 0

    def entries(self):
        self.walks += 1
        return (Entry(str(n), n) for n in range(self.length))

    def read(self, entry):
        from PIL import Image

        if entry.where in self.bad:
            return b"bad"
        import io

        buffer = io.BytesIO()
        Image.new("RGB", (2, 2), (entry.where,) * 3).save(buffer, "PPM")
        return buffer.getvalue()


@settings(max_examples=60, deadline=None)
@given(
    bad=st.sets(st.integers(0, 29)),
    first=st.integers(0, 10),
    length=st.integers(0, 30),
    stop=st.none() | st.integers(0, 30),
    calls=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 12)), max_size=5),
)
def test_any_order_of_reading_gives_the_same_images(bad, first, length, stop, calls):
    usable = [str(n) for n in range(first, length if stop is None else min(length, stop)) if n not in bad]
    reader = Reader(Listed(bad, length), Crop("none", 2), first=first, stop=stop)
    for start, count in calls:
        assert [picture.key for picture in reader.read(start, count)] == usable[start : start + count]
    found = [skipped.position for skipped in reader.skipped]
    assert found == sorted(set(found) & bad)


def test_reading_on_walks_the_source_once():
    source = Listed({3}, 30)
    reader = Reader(source, Crop("none", 2))
    for start in range(0, 20, 4):
        assert len(list(reader.read(start, 4))) == 4
    assert source.walks == 1


def test_workers_give_what_this_process_gives():
    source = Listed({3, 17, 18}, 40)
    here = Reader(source, Crop("none", 2))
    there = Reader(source, Crop("none", 2), workers=2)
    expected, found = list(here.read(0, 40)), list(there.read(0, 40))
    assert [p.key for p in found] == [p.key for p in expected]
    assert all((a.pixels == b.pixels).all() for a, b in zip(found, expected, strict=True))
    assert there.skipped == here.skipped
    assert there._parallel


def test_a_daemon_decodes_by_itself(monkeypatch):
    monkeypatch.setattr(multiprocessing.current_process(), "_config", {"daemon": True})
    reader = Reader(Listed(set(), 40), Crop("none", 2), workers=2)
    assert len(list(reader.read(0, 40))) == 40
