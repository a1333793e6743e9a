"""A user's own picture: faces of people are looked for, renders and other things are not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from textedit_bench.errors import UserError
from textedit_bench.own_photo import own_photo

FACE = np.array([[40.0, 40.0], [60.0, 40.0], [50.0, 50.0], [43.0, 60.0], [57.0, 60.0]])


def _domain(kind="face", world=None, height=None):
    return SimpleNamespace(
        name="people",
        tier="full",
        resolution=16,
        device=torch.device("cpu"),
        card=SimpleNamespace(kind=kind),
        tier_card=SimpleNamespace(world=world, height=height),
    )


@pytest.fixture
def photo(tmp_path):
    """A red picture with a green square where the face is."""
    pixels = np.zeros((100, 160, 3), np.uint8)
    pixels[..., 0] = 200
    pixels[35:65, 35:65] = (0, 200, 0)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def _faces(*shifts):
    return lambda image: [FACE + np.array([shift, 0.0]) for shift in shifts]


def test_a_persons_photo_is_cut_around_the_face(photo):
    found = own_photo(_domain(), photo, detector=_faces(0))
    assert found.images.shape == (1, 3, 16, 16) and found.ids == ("photo",)
    assert found.images[0, 1, 7:9, 7:9].min() > 0.4 and found.images[0, 0, 7:9, 7:9].max() < -0.9
    beside = own_photo(_domain(), photo, detector=_faces(70))
    assert beside.images[0, 0, 7:9, 7:9].min() > 0.4


def test_several_faces_need_a_choice(photo):
    with pytest.raises(UserError, match=r"2 faces were found in .*photo\.png"):
        own_photo(_domain(), photo, detector=_faces(0, 70))
    chosen = own_photo(_domain(), photo, face=0, detector=_faces(0, 70))
    assert torch.equal(chosen.images, own_photo(_domain(), photo, detector=_faces(0)).images)
    with pytest.raises(UserError, match="face 2"):
        own_photo(_domain(), photo, face=2, detector=_faces(0, 70))


def test_a_photo_without_a_face_is_refused(photo):
    with pytest.raises(UserError, match="no face"):
        own_photo(_domain(), photo, detector=_faces())


@pytest.mark.parametrize("where", [{"kind": "animal"}, {"world": "module:World"}])
def test_everything_else_gives_its_central_square(photo, where):
    found = own_photo(_domain(**where), photo, detector=_faces(0, 70))
    assert found.images.shape == (1, 3, 16, 16)
    with pytest.raises(UserError, match="--face 0"):
        own_photo(_domain(**where), photo, face=0)


def test_a_data_set_with_black_bars_gets_the_photo_between_them(photo):
    shown = own_photo(_domain("object", height=12), photo).images
    assert (shown[:, :, :2] == -1).all() and (shown[:, :, 14:] == -1).all()
    assert (shown[:, :, 2:14].amax(1) > -0.5).all()


@pytest.mark.parametrize("kind", ["face", "animal"])
def test_files_that_are_no_pictures_are_refused(tmp_path, kind):
    (tmp_path / "text.png").write_text("no picture")
    for name, told in (("text.png", "cannot be read"), ("missing.png", "no such file")):
        with pytest.raises(UserError, match=told):
            own_photo(_domain(kind), tmp_path / name)
