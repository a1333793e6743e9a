"""Whether a picture shows a face: the answer of the package's own cascade, for a fraction of its time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps
from skimage import data
from torch import Tensor

from textedit_bench.models.alignment import align_face
from textedit_bench.models.face_alignment import MtcnnFinder
from textedit_bench.models.face_presence import MtcnnPresence
from textedit_bench.testing.pretend_cuda import PretendCuda


@pytest.fixture(scope="module")
def crop() -> Image.Image:
    """A real face in FFHQ's frame."""
    return align_face(Image.fromarray(data.astronaut()), 512)


def _tensor(*pictures: Image.Image) -> Tensor:
    stacked = np.stack([np.asarray(picture.convert("RGB").resize((512, 512))) for picture in pictures])
    return torch.from_numpy(stacked).permute(0, 3, 1, 2).float() / 127.5 - 1.0


def _faces(crop: Image.Image) -> list[Image.Image]:
    grey = Image.new("RGB", crop.size, (128, 128, 128))
    small = grey.copy()
    small.paste(crop.resize((300, 300)), (100, 120))
    glasses = crop.copy()
    ImageDraw.Draw(glasses).rectangle((120, 215, 390, 265), fill=(20, 20, 20))
    noisy = (np.asarray(crop) + np.random.default_rng(0).normal(0, 20, (512, 512, 3))).clip(0, 255).astype("uint8")
    moved = crop.transform(crop.size, Image.Transform.AFFINE, (1, 0, 70, 0, 1, -60))
    return [
        crop, ImageOps.mirror(crop), small, glasses, crop.rotate(15), moved,
        ImageOps.grayscale(crop), ImageEnhance.Color(crop).enhance(2.0), ImageEnhance.Brightness(crop).enhance(0.5),
        crop.filter(ImageFilter.GaussianBlur(3)), Image.fromarray(noisy),
        Image.blend(crop, Image.fromarray(data.coffee()).resize(crop.size), 0.3),
    ]  # fmt: skip


def _others(crop: Image.Image) -> list[Image.Image]:
    erased = crop.copy()
    ImageDraw.Draw(erased).ellipse((90, 90, 430, 500), fill=(150, 120, 100))
    return [
        Image.fromarray(data.chelsea()), Image.fromarray(data.coffee()), Image.fromarray(data.rocket()),
        Image.fromarray(data.brick()), Image.fromarray(data.page()), Image.new("RGB", (512, 512)),
        crop.filter(ImageFilter.GaussianBlur(40)), erased,
    ]  # fmt: skip


def test_real_faces_are_seen_and_what_is_none_is_not(crop: Image.Image) -> None:
    presence = MtcnnPresence()
    assert presence(_tensor(*_faces(crop))).all()
    assert not presence(_tensor(*_others(crop))).any()


@pytest.mark.slow
def test_it_agrees_with_the_packages_cascade(crop: Image.Image) -> None:
    """Also where the package itself is in doubt: ever more blur, noise, and of another picture."""
    draw, cat = np.random.default_rng(1), Image.fromarray(data.chelsea()).resize(crop.size)
    doubtful = [crop.filter(ImageFilter.GaussianBlur(radius)) for radius in range(2, 40, 4)]
    doubtful += [Image.blend(crop, cat, share) for share in np.linspace(0.1, 0.9, 9)]
    for spread in range(20, 140, 12):
        noisy = np.asarray(crop) + draw.normal(0, spread, (512, 512, 3))
        doubtful.append(Image.fromarray(noisy.clip(0, 255).astype("uint8")))
    pictures = _tensor(*_faces(crop), *_others(crop), *doubtful)
    theirs = MtcnnFinder()(pictures).isfinite().flatten(1).all(1)
    assert (MtcnnPresence()(pictures) == theirs).double().mean() >= 0.95


def test_a_picture_does_not_depend_on_its_batch_or_its_resolution(crop: Image.Image) -> None:
    presence, pictures = MtcnnPresence(), _tensor(*_faces(crop)[:3], *_others(crop)[:3])
    whole = presence(pictures)
    assert torch.equal(torch.cat([presence(part) for part in pictures.split(1)]), whole)
    larger = torch.nn.functional.interpolate(pictures, scale_factor=2.0, mode="nearest")
    assert torch.equal(presence(larger), whole)


def test_on_a_device_nothing_waits_for_it(crop: Image.Image) -> None:
    pictures = _tensor(crop, Image.new("RGB", (512, 512)))
    with PretendCuda() as cuda:
        there = pictures.to("cuda")
        presence = MtcnnPresence()
        presence(there)
        cuda.clear()
        found = presence(there)
        assert not cuda.syncs
        assert found.device.type == "cuda" and found.cpu().tolist() == [True, False]
