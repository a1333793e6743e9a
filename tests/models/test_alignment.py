"""The FFHQ crop: where the quad lies, what the crop shows, and what is said when there is no single face."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from textedit_bench.models.alignment import FaceError, align_face, crop_quad, face_quad

UPRIGHT = np.array([[40.0, 50.0], [60.0, 50.0], [50.0, 60.0], [42.0, 72.0], [58.0, 72.0]])


def test_quad_of_an_upright_face():
    """Eyes 20 apart, mouth 22 below: half side max(2 * 20, 1.8 * 22) = 40, centre 2.2 below the eyes."""
    quad = face_quad(UPRIGHT)
    expected = [[50 - 40, 52.2 - 40], [50 - 40, 52.2 + 40], [50 + 40, 52.2 + 40], [50 + 40, 52.2 - 40]]
    np.testing.assert_allclose(quad, expected, atol=0.5)
    np.testing.assert_allclose(np.linalg.norm(quad - np.roll(quad, 1, axis=0), axis=1), 80.0, atol=1e-9)


def test_quad_turns_and_scales_with_the_face():
    angle = 0.4
    turn = 1.7 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(face_quad(UPRIGHT @ turn.T + 5), face_quad(UPRIGHT) @ turn.T + 5)


def test_crop_shows_the_square():
    photo = np.zeros((120, 120, 3), dtype=np.uint8)
    photo[40:80, 40:60, 0], photo[40:80, 60:80, 1] = 255, 255
    quad = np.array([[40.0, 40.0], [40.0, 80.0], [80.0, 80.0], [80.0, 40.0]]) - 0.5
    crop = np.asarray(crop_quad(Image.fromarray(photo), quad, 16, 64)).astype(int)
    assert crop.shape == (16, 16, 3)
    assert (crop[2:-2, 2:6, 0] > 240).all() and (crop[2:-2, -6:-2, 1] > 240).all()
    assert crop[..., 2].max() == 0


def test_a_face_at_the_edge_is_padded_and_keeps_its_place():
    rng = np.random.default_rng(0)
    photo = Image.fromarray(np.repeat(np.repeat(rng.integers(0, 256, (10, 10, 3), dtype=np.uint8), 10, 0), 10, 1))
    wide = Image.new("RGB", (300, 300))
    wide.paste(photo, (100, 100))
    near_edge = np.asarray(align_face(photo, 32, detector=lambda _: [UPRIGHT])).astype(int)
    inside = np.asarray(align_face(wide, 32, detector=lambda _: [UPRIGHT + 100])).astype(int)
    middle = slice(10, 22)
    assert np.abs(near_edge[middle, middle] - inside[middle, middle]).max() <= 3


def test_messages_for_no_face_several_faces_and_a_wrong_choice():
    photo = Image.new("RGB", (100, 100))
    with pytest.raises(FaceError, match=r"no face was found in me\.jpg \(100x100\)"):
        align_face(photo, detector=lambda _: [], name="me.jpg")
    two = lambda _: [UPRIGHT, UPRIGHT + 5]  # noqa: E731
    with pytest.raises(FaceError, match="2 faces"):
        align_face(photo, detector=two)
    assert align_face(photo, 32, face=1, detector=two).size == (32, 32)
    with pytest.raises(FaceError, match="face 2 was asked for"):
        align_face(photo, face=2, detector=two)


@pytest.mark.slow
def test_mtcnn_finds_no_face_in_an_empty_photo():
    pytest.importorskip("facenet_pytorch", reason="face alignment is optional at run time")
    with pytest.raises(FaceError, match="no face"):
        align_face(Image.new("RGB", (200, 200), (90, 120, 200)))
