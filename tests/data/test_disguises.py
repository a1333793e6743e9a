"""One picture in every form in which programs store it: decoded, it is the same pixels, and what was done is said."""

from __future__ import annotations

import io
import logging
import re
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms

from textedit_bench.data import colours
from textedit_bench.data.crop import Crop
from textedit_bench.data.decode import FRAMES, TURNED, Decoded, UnusableImageError, decode, decode_picture
from textedit_bench.data.photo import open_photo
from textedit_bench.data.reader import Reader
from textedit_bench.data.sources import ZipSource

ROOT = Path(__file__).parents[2]
PIXELS = arrays(np.uint8, (5, 7, 3))
STORED = {  # orientation -> how the upright picture is stored under it
    1: lambda p: p,
    2: np.fliplr,
    3: lambda p: np.rot90(p, 2),
    4: np.flipud,
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: np.rot90(p, 1),
    7: lambda p: np.rot90(p, 2).transpose(1, 0, 2),
    8: lambda p: np.rot90(p, 3),
}
LOSSLESS = {"PNG": {}, "TIFF": {}, "WEBP": {"lossless": True, "exact": True}}


def encode(image: Image.Image, format_: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def profile(*, swapped: bool = False) -> bytes:
    """sRGB's profile; swapped: one whose red is sRGB's green, which no reader can overlook."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return data.replace(b"rXYZ", b"#XYZ").replace(b"gXYZ", b"rXYZ").replace(b"#XYZ", b"gXYZ") if swapped else data


def pixels(found: Decoded) -> np.ndarray:
    return np.asarray(found.image)


def sixteen(levels: np.ndarray) -> bytes:
    """A 16-bit RGB PNG, which Pillow cannot write."""
    import struct
    import zlib

    height, width, _ = levels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">2I5B", width, height, 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@settings(deadline=None, max_examples=60)
@given(PIXELS, st.sampled_from(list(STORED)), st.sampled_from(list(LOSSLESS)))
def test_every_orientation_comes_out_upright_in_every_format(picture, orientation, format_):
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](picture)))
    found = decode_picture(encode(stored, format_, exif=exif, **LOSSLESS[format_]))
    assert np.array_equal(pixels(found), picture)
    assert found.changes == (() if orientation == 1 else (TURNED,))


@given(PIXELS, st.sampled_from([0, 9, 255, 65_535]))
def test_an_orientation_that_does_not_exist_turns_nothing(picture, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = decode_picture(encode(Image.fromarray(picture), exif=exif))
    assert np.array_equal(pixels(found), picture) and not found.changes


@given(PIXELS, st.binary(max_size=40))
def test_damaged_metadata_does_not_cost_the_picture(picture, junk):
    found = decode_picture(encode(Image.fromarray(picture), exif=b"Exif\0\0" + junk))
    assert sorted(pixels(found).shape[:2]) == [5, 7]


@settings(deadline=None)
@given(PIXELS, arrays(np.uint8, (5, 7)), st.sampled_from(["PNG", "TIFF", "WEBP"]), st.booleans())
def test_hidden_colours_never_show(picture, opacity, format_, grey):
    """What lies under full transparency is white, whatever colours are stored there; opaque pixels are as stored."""
    opacity[0, 0], opacity[0, 1] = 0, 255
    if grey:
        picture = picture[..., :1].repeat(3, -1)
    image = Image.fromarray(np.dstack([picture, opacity]))
    found = decode_picture(encode(image.convert("LA") if grey else image, format_, **LOSSLESS[format_]))
    share = opacity[..., None] / 255.0
    assert np.abs(pixels(found) - (share * picture + (1 - share) * 255)).max() <= 1.0
    assert (pixels(found)[0, 0] == 255).all() and np.array_equal(pixels(found)[0, 1], picture[0, 1])
    assert found.changes == (colours.COMPOSITED,)


@given(PIXELS, st.sampled_from(["RGBA", "LA", "PA"]))
def test_an_opaque_alpha_channel_changes_nothing(picture, mode):
    image = Image.fromarray(picture).convert("RGB" if mode == "RGBA" else mode[0]).convert(mode)
    found = decode_picture(encode(image, "TIFF" if mode == "PA" else "PNG"))
    assert np.array_equal(pixels(found), np.asarray(image.convert("RGB"))) and not found.changes


@given(PIXELS)
def test_a_transparent_colour_is_transparent(picture):
    picture[0, 0], picture[0, 1] = (1, 2, 3), (3, 2, 1)
    found = decode_picture(encode(Image.fromarray(picture), transparency=(1, 2, 3)))
    assert (pixels(found)[0, 0] == 255).all() and tuple(pixels(found)[0, 1]) == (3, 2, 1)
    deep = np.full((4, 4), 257, np.uint16)
    deep[0] = 5
    found = decode_picture(encode(Image.fromarray(deep), transparency=5))
    assert (pixels(found)[0] == 255).all() and (pixels(found)[1:] == 1).all()
    assert found.changes == (colours.ROUNDED, colours.COMPOSITED)


@given(PIXELS, st.sampled_from([256, 257]))
def test_levels_of_sixteen_bits_are_those_of_eight(picture, factor):
    """Programs widen levels by 257 (all of the range) or by 256 (a shift); either way they come back."""
    found = decode_picture(sixteen(picture.astype(np.uint16) * factor))
    assert np.array_equal(pixels(found), picture) and found.changes == (colours.ROUNDED,)
    grey = decode_picture(encode(Image.fromarray(picture[..., 0].astype(np.uint16) * 257)))
    assert np.array_equal(pixels(grey)[..., 1], picture[..., 0]) and grey.changes == (colours.ROUNDED,)


@given(PIXELS, st.sampled_from(["PNG", "GIF", "TIFF", "BMP"]))
def test_a_palette_holds_the_colours_it_says(picture, format_):
    image = Image.fromarray(picture).convert("P", palette=Image.Palette.ADAPTIVE, colors=35)
    found = decode_picture(encode(image, format_))
    assert np.array_equal(pixels(found), np.asarray(image.convert("RGB"))) and not found.changes


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA"])
def test_a_picture_that_says_it_is_srgb_keeps_its_pixels(mode):
    image = Image.effect_noise((16, 16), 80).convert("RGB").convert(mode)
    found = decode_picture(encode(image, icc_profile=profile()))
    assert np.array_equal(pixels(found), np.asarray(image.convert("RGB"))) and not found.changes


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
@pytest.mark.parametrize("format_", ["PNG", "TIFF", "WEBP"])
def test_another_colour_profile_is_applied(mode, format_):
    image = Image.new("RGB", (8, 8), (250, 5, 5)).convert(mode)
    options = {} if mode == "P" and format_ == "WEBP" else LOSSLESS[format_]
    found = decode_picture(encode(image, format_, icc_profile=profile(swapped=True), **options))
    assert pixels(found)[4, 4, 1] > 200 > 80 > pixels(found)[4, 4, 0] and found.changes == (colours.PROFILE,)


@pytest.mark.parametrize("data", [b"junk", profile()[:200], b"\0" * 3000])
def test_a_profile_that_cannot_be_used_is_left_aside_and_said(data):
    image = Image.effect_noise((16, 16), 80).convert("RGB")
    found = decode_picture(encode(image, icc_profile=data))
    assert np.array_equal(pixels(found), np.asarray(image)) and found.changes == (colours.NO_PROFILE,)


def test_a_profile_of_other_channels_than_the_pictures_is_left_aside():
    found = decode_picture(encode(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", icc_profile=profile()))
    assert found.changes == (colours.NO_PROFILE, colours.CMYK) and pixels(found)[8, 8, 0] > 240


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP", "TIFF", "MPO"])
def test_of_several_frames_the_first_is_taken_and_said(format_):
    image = Image.new("RGB", (16, 16), (200, 30, 30))
    data = encode(image, format_, save_all=True, append_images=[Image.new("RGB", (16, 16), (0, 0, 250))])
    found = decode_picture(data)
    assert pixels(found)[8, 8, 0] > 150 and found.changes == (FRAMES,)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM"])
@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9])
def test_a_file_that_is_cut_short_is_refused(format_, share):
    data = encode(Image.effect_noise((64, 64), 80).convert("RGB"), format_)
    with pytest.raises(UnusableImageError):
        decode(data[: int(len(data) * share)])


def png_chunk(kind, data, damage=0):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ damage)


NOTES = {
    "settings": [png_chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"x" * 3_000_000))],
    "many": [png_chunk(b"zTXt", b"k\0\0" + zlib.compress(b"x" * 900_000))] * 80,
    "XMP": [png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"x" * 3_000_000))],
    "damaged": [png_chunk(b"tEXt", b"Title\0t", damage=1)],
    "time": [png_chunk(b"tIME", b"1234567", damage=1)],
}


@pytest.mark.parametrize("notes", NOTES)
def test_notes_in_a_png_do_not_cost_the_picture(notes):
    picture = Image.effect_noise((8, 8), 50).convert("RGB")
    data = encode(picture)
    found = decode_picture(data[:33] + b"".join(NOTES[notes]) + data[33:])
    assert np.array_equal(pixels(found), np.asarray(picture)) and found.changes == ()
    with pytest.raises(UnusableImageError):
        decode_picture(data[:33] + b"".join(NOTES[notes]) + data[33:50])


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate"])
@pytest.mark.parametrize("side", [8, 64, 116, 160])
def test_eight_bits_are_never_said_to_be_rounded(compression, side):
    stream = io.BytesIO()
    Image.new("RGB", (side, 16)).save(stream, "TIFF", compression=compression)
    assert decode_picture(stream.getvalue()).changes == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC; save it as PNG or JPEG"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "AVIF; save it as PNG or JPEG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000; save"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL; save"),
        (b"\0\0\0\x20ftypisom", "a film"),
        (b"\n<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"<svg xmlns=''/>", "SVG; export it as PNG"),
        (b"plain", "none of PNG, JPEG"),
    ],
)
def test_what_is_not_decoded_is_named(data, said):
    with pytest.raises(UnusableImageError, match=said):
        decode_picture(data)


def test_what_was_changed_is_logged_for_a_photo_and_once_for_a_source(tmp_path, caplog):
    clear = encode(Image.new("RGBA", (8, 8), (9, 9, 9, 0)))
    (tmp_path / "clear.png").write_bytes(clear)
    with caplog.at_level(logging.INFO, "textedit_bench"):
        open_photo(tmp_path / "clear.png")
    assert f"clear.png: {colours.COMPOSITED}" in caplog.text
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", clear)
    (read,) = Reader(ZipSource(tmp_path / "a.zip"), Crop("none", 8)).read(0, 1)
    assert read.changes == (colours.COMPOSITED,) and (read.pixels == 255).all()


CALLERS = {
    "textedit_bench/data/photo.py": "the photo of `edit`",
    "textedit_bench/data/reader.py": "photos of data sets",
    "textedit_bench/metrics/folders.py": "`score --source`, `score --edited`",
    "textedit_bench/bench/pictures.py": "pictures that a bench stored",
    "workshop/textedit_workshop/rehearsal/checks.py": "edits of the rehearsal",
    "workshop/textedit_workshop/perf/sources.py": "timings",
}
"""Named in `docs/pages/edges.md`, but for the last two, which no user's picture reaches."""


def test_no_picture_enters_beside_the_decoder():
    opens = re.compile(r"\bImage\.open\(|\bcv2\.|\bimageio\b|\bread_image\(|\bdecode_(?:image|jpeg|png)\(|\bimread\(")
    roots = ("textedit_bench", "methods", "datasets", "experiments", "workshop", "tools")
    listed = subprocess.run(
        ["git", "ls-files", *(f"{r}/*.py" for r in roots)], cwd=ROOT, capture_output=True, text=True
    )
    files = listed.stdout.split()
    assert len(files) > 300
    sources = {name: (ROOT / name).read_text(encoding="utf-8") for name in files}
    assert {name for name, text in sources.items() if re.search(r"data\.decode import.*\bdecode", text)} == set(CALLERS)
    found = {name for name, text in sources.items() if opens.search(text)}
    assert found == {"textedit_bench/data/decode.py"}
