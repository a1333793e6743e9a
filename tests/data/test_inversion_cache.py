"""The inversion cache: each photo once, whoever asks, whatever happened before."""

from __future__ import annotations

import multiprocessing
import os
import time

import numpy as np
import pytest
import torch

from textedit_bench.data.inversion_cache import InversionCache

IDENTITY = {"inverter": "mean", "networks": {"encoder": "0" * 16}, "settings": {}}
SHAPE = (1, 3)


def _photos(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 4, 4, 3), np.uint8)


class Inverter:
    """The mean colour as codes; remembers what it was asked."""

    def __init__(self):
        self.batches = []

    def __call__(self, pixels):
        self.batches.append(len(pixels))
        return torch.from_numpy(pixels).float().mean((1, 2)).unsqueeze(1)


def test_codes_come_in_order_and_are_computed_once(tmp_path):
    photos, inverter, cache = _photos(7), Inverter(), InversionCache(tmp_path, IDENTITY, SHAPE)
    expected = inverter(photos)
    codes, fresh = cache.invert(photos, inverter, 3)
    assert torch.equal(codes, expected)
    assert (fresh, inverter.batches[1:]) == (7, [3, 3, 1])
    again, fresh = InversionCache(tmp_path, IDENTITY, SHAPE).invert(photos[::-1].copy(), inverter, 3)
    assert torch.equal(again, expected.flip(0))
    assert fresh == 0


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    photos, cache = _photos(6), InversionCache(tmp_path, IDENTITY, SHAPE)

    def stops(pixels):
        if np.array_equal(pixels[0], photos[4]):
            raise KeyboardInterrupt
        return Inverter()(pixels)

    with pytest.raises(KeyboardInterrupt):
        cache.invert(photos, stops, 2)
    inverter = Inverter()
    _, fresh = cache.invert(photos, inverter, 2)
    assert (fresh, inverter.batches) == (2, [2])


def test_equal_photos_are_inverted_once(tmp_path):
    photos = np.concatenate([_photos(2), _photos(2)])
    codes, fresh = InversionCache(tmp_path, IDENTITY, SHAPE).invert(photos, Inverter(), 8)
    assert fresh == 2
    assert torch.equal(codes[:2], codes[2:])


@pytest.mark.parametrize("change", [{"inverter": "other"}, {"networks": {"encoder": "1" * 16}}, {"settings": {"a": 1}}])
def test_another_inverter_network_or_setting_shares_nothing(tmp_path, change):
    photos = _photos(1)
    InversionCache(tmp_path, IDENTITY, SHAPE).invert(photos, Inverter(), 1)
    assert InversionCache(tmp_path, {**IDENTITY, **change}, SHAPE).get(InversionCache.key(photos[0])) is None


def test_a_photo_of_the_same_bytes_and_another_shape_is_another():
    pixels = _photos(1)[0]
    assert InversionCache.key(pixels) != InversionCache.key(pixels.reshape(2, 8, 3))
    assert InversionCache.key(pixels) != InversionCache.key(255 - pixels)


@pytest.mark.parametrize("damage", [lambda b: b[:-30], lambda b: b"", lambda b: b.replace(b"\0\0\0", b"\1\0\0")])
def test_a_damaged_file_is_made_anew(tmp_path, damage):
    photos, cache = _photos(1), InversionCache(tmp_path, IDENTITY, SHAPE)
    expected, _ = cache.invert(photos, Inverter(), 1)
    (file,) = cache.path.glob("*/*.npz")
    file.write_bytes(damage(file.read_bytes()))
    codes, fresh = cache.invert(photos, Inverter(), 1)
    assert fresh == 1
    assert torch.equal(codes, expected)


@pytest.mark.parametrize("stored", [np.zeros((3, 7), np.float32), np.zeros(SHAPE), np.array([["a", "b", "c"]])])
def test_stored_codes_of_another_shape_or_type_are_made_anew(tmp_path, stored, caplog):
    photos, cache = _photos(1), InversionCache(tmp_path, IDENTITY, SHAPE)
    expected, _ = cache.invert(photos, Inverter(), 1)
    (file,) = cache.path.glob("*/*.npz")
    np.savez(file, w_plus=stored)
    codes, fresh = cache.invert(photos, Inverter(), 1)
    assert fresh == 1
    assert torch.equal(codes, expected)
    assert "damaged" in caplog.text and "inverted again" in caplog.text


def test_what_a_killed_writer_left_is_removed_after_an_hour(tmp_path):
    photos = _photos(1)
    cache = InversionCache(tmp_path, IDENTITY, SHAPE)
    cache.invert(photos, Inverter(), 1)
    (file,) = cache.path.glob("*/*.npz")
    old, young = (file.with_name(f".{name}.part") for name in ("old", "young"))
    for left in (old, young):
        left.write_bytes(b"half")
    an_hour_ago = time.time() - 3601
    os.utime(old, (an_hour_ago, an_hour_ago))
    InversionCache(tmp_path, IDENTITY, SHAPE).invert(photos, Inverter(), 1)
    assert young.exists() and not old.exists()


def test_codes_that_are_not_finite_are_not_kept(tmp_path):
    cache = InversionCache(tmp_path, IDENTITY, SHAPE)
    with pytest.raises(ValueError, match="not finite"):
        cache.invert(_photos(1), lambda pixels: torch.full((1, 1, 3), torch.nan), 1)
    assert not list(tmp_path.rglob("*.npz"))


def _write(folder):
    cache = InversionCache(folder, IDENTITY, SHAPE)
    for _ in range(3):
        cache.invert(_photos(20), Inverter(), 4)
        for file in cache.path.glob("*/*.npz"):
            file.unlink(missing_ok=True)
    cache.invert(_photos(20), Inverter(), 4)


def test_two_processes_may_write_and_remove_at_once(tmp_path):
    context = multiprocessing.get_context("fork")
    running = [context.Process(target=_write, args=(tmp_path,)) for _ in range(2)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    assert [process.exitcode for process in running] == [0, 0]
    cache = InversionCache(tmp_path, IDENTITY, SHAPE)
    codes, _ = cache.invert(_photos(20), Inverter(), 4)
    assert torch.equal(codes, Inverter()(_photos(20)))
    assert not list(tmp_path.rglob("*.part"))
