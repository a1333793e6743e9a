"""Picture files: what is read, what is written, what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from textedit_bench.data import decode
from textedit_bench.data.destination import check_destination
from textedit_bench.data.photo import FORMATS, read_photo, write_grid
from textedit_bench.errors import UserError


def _picture(path, pixels, **options):
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(path, **options)
    return path


def test_levels_0_and_255_become_minus_1_and_1(tmp_path):
    pixels = np.zeros((4, 4, 3))
    pixels[:, :, 1] = 255
    photo = read_photo(_picture(tmp_path / "a.png", pixels), 4)
    assert photo.shape == (1, 3, 4, 4)
    assert photo.dtype == torch.float32
    assert photo[0, :, 0, 0].tolist() == [-1.0, 1.0, -1.0]


def test_a_grid_written_without_loss_is_read_back(tmp_path):
    images = torch.randint(0, 256, (1, 3, 8, 8), generator=torch.Generator().manual_seed(0)) / 127.5 - 1
    write_grid(images, tmp_path / "a.png")
    assert torch.equal(read_photo(tmp_path / "a.png", 8), images)


def test_a_wide_photo_keeps_its_middle(tmp_path):
    pixels = np.zeros((6, 18, 3))
    pixels[:, 6:12] = 255
    assert read_photo(_picture(tmp_path / "a.png", pixels), 6).min() == 1


def test_a_photo_is_turned_as_its_camera_says(tmp_path):
    pixels = np.zeros((8, 8, 3))
    pixels[:4] = 255  # the upper half is white
    exif = Image.Exif()
    exif[0x0112] = 3  # taken upside down
    photo = read_photo(_picture(tmp_path / "a.png", pixels, exif=exif), 8)
    assert (photo[0, :, 0] == -1).all()
    assert (photo[0, :, -1] == 1).all()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_every_colour_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / ("a.tiff" if mode == "CMYK" else "a.png")
    Image.new("RGB", (5, 5), "white").convert(mode).save(path)
    assert read_photo(path, 5).shape == (1, 3, 5, 5)


def test_a_missing_or_damaged_file_is_named(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    whole = _picture(tmp_path / "whole.png", np.zeros((64, 64, 3))).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    for name, problem in {"no.png": "no such file", "text.png": "cannot be read", "cut.png": "cannot be read"}.items():
        with pytest.raises(UserError, match=problem) as caught:
            read_photo(tmp_path / name, 8)
        assert name in str(caught.value)


def test_grey_levels_of_16_bits_are_scaled_not_clipped(tmp_path):
    levels = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(levels).save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png", 8)
    expected = torch.from_numpy(levels / 32767.5 - 1).float()
    assert torch.allclose(photo[0, 0], expected, atol=1 / 127)


def test_too_many_pixels_other_formats_and_other_files_are_refused(tmp_path, monkeypatch):
    Image.new("1", (9000, 8000)).save(tmp_path / "large.png")
    (tmp_path / "page.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "long.png").write_bytes(b"x" * 1000)
    for name, problem in {
        "large.png": "9000x8000 pixels; at most",
        "page.eps": r"none of PNG, JPEG",
        "pipe.png": "not a regular file",
        "long.png": "1000 bytes; at most 999 are read",
    }.items():
        with monkeypatch.context() as patch, pytest.raises(UserError, match=problem):
            patch.setattr(decode, "MAX_BYTES", 999 if name == "long.png" else decode.MAX_BYTES)
            read_photo(tmp_path / name, 8)


def test_a_grid_goes_row_by_row_and_ends_in_black(tmp_path):
    shades = torch.tensor([1.0, 0.0, -1.0])
    write_grid(shades[:, None, None, None].expand(3, 3, 2, 2), tmp_path / "a.png", columns=2)
    pixels = np.asarray(Image.open(tmp_path / "a.png"))
    assert pixels.shape == (4, 4, 3)
    assert pixels[::2, ::2, 0].tolist() == [[255, 128], [0, 0]]


def test_values_out_of_range_are_clipped(tmp_path):
    write_grid(torch.tensor([3.0, -3.0])[:, None, None, None].expand(2, 3, 1, 1), tmp_path / "a.png", columns=2)
    assert np.asarray(Image.open(tmp_path / "a.png"))[0, :, 0].tolist() == [255, 0]


def test_destinations_are_refused_before_work(tmp_path):
    (tmp_path / "folder.png").mkdir()
    for path, problem in {
        tmp_path / "a.bmpp": "unknown format '.bmpp'. Valid: .png",
        tmp_path / "folder.png": "is a folder",
        tmp_path / "no" / "a.png": "does not exist",
        Path("/proc/a.png"): "cannot be written",  # also where permissions mean nothing, as to root
    }.items():
        with pytest.raises(UserError) as caught:
            check_destination(path, FORMATS)
        assert problem in str(caught.value)
    check_destination(tmp_path / "a.PNG", FORMATS)
