"""Align a person's photo to FFHQ: the published crop computed from five landmarks.

Source: Karras et al. 2019 (StyleGAN), arXiv 1812.04948, appendix on FFHQ. The published crop reads eye centres and
mouth corners only, which facenet-pytorch's MTCNN gives directly; its eye points are pupils instead of contour means, so
crops differ from dlib's by a few pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from textedit_bench.errors import UserError

Points = NDArray[np.float64]
Detector = Callable[[Image.Image], "list[Points]"]


class FaceError(UserError):
    """A photo without a face, or with several where one was expected."""


def mtcnn_detector(device: str = "cpu") -> Detector:
    """Detect faces by MTCNN, largest first: (5, 2) points each, in pixels: eyes, nose, mouth corners, left first.

    Raises:
        UserError: facenet-pytorch is not installed.
    """
    try:
        from facenet_pytorch import MTCNN
    except ImportError as error:
        raise UserError(
            "face alignment needs facenet-pytorch, which is not installed: pip install 'facenet-pytorch>=2.5.3,<2.6'"
        ) from error
    network: Any = MTCNN(keep_all=True, device=device)

    def detect(photo: Image.Image) -> list[Points]:
        _boxes, _probabilities, points = network.detect(photo, landmarks=True)
        return [] if points is None else [np.asarray(face, dtype=np.float64) for face in points]

    return detect


def align_face(
    photo: Image.Image,
    size: int = 256,
    *,
    transform_size: int | None = None,
    face: int | None = None,
    detector: Detector | None = None,
    name: str = "the photo",
) -> Image.Image:
    """Return the FFHQ crop of the only face of a photo.

    Args:
        photo: any mode and size; transparency is dropped.
        size: side of the result in pixels.
        transform_size: side of the crop before it is reduced to `size`; 4 * size if None, as FFHQ was made
            (e4e uses 256 / 256, which is softer).
        face: which face to take where there are several, 0 being the largest.
        detector: photo -> landmarks of each face; `mtcnn_detector()` if None.
        name: how messages call the photo.

    Raises:
        FaceError: no face, several without a choice, or a choice that does not exist.
    """
    photo = photo.convert("RGB")
    faces = (detector or mtcnn_detector())(photo)
    if not faces:
        raise FaceError(
            f"no face was found in {name} ({photo.width}x{photo.height}); it must show one, upright and in front"
        )
    if len(faces) > 1 and face is None:
        raise FaceError(
            f"{len(faces)} faces were found in {name}; choose one (0 is the largest) or crop the photo to it"
        )
    if not 0 <= (face or 0) < len(faces):
        raise FaceError(f"face {face} was asked for, but {name} shows {len(faces)}")
    return crop_quad(photo, face_quad(faces[face or 0]), size, transform_size or 4 * size)


def face_quad(points: Points) -> Points:
    """Return corners (4, 2) of the FFHQ square around a face, counter-clockwise from the top left, in pixels.

    Args:
        points: (5, 2): left eye, right eye, nose, left and right mouth corner, "left" being the image's.
    """
    left_eye, right_eye, _, left_mouth, right_mouth = np.asarray(points, dtype=np.float64)
    eyes, between = (left_eye + right_eye) / 2, right_eye - left_eye
    down = (left_mouth + right_mouth) / 2 - eyes
    x = between + np.array([down[1], -down[0]])
    x *= max(2.0 * np.hypot(*between), 1.8 * np.hypot(*down)) / np.hypot(*x)
    y = np.array([-x[1], x[0]])
    centre = eyes + 0.1 * down
    return np.stack([centre - x - y, centre - x + y, centre + x + y, centre + x - y])


def crop_quad(photo: Image.Image, quad: Points, size: int, transform_size: int) -> Image.Image:
    """Resample the square `quad` of a photo to size x size; outside the photo it is mirrored and blurred."""
    side = float(np.hypot(*(quad[3] - quad[0])))
    photo, quad, side = _shrink(photo, quad, side, size)
    photo, quad = _cut_out(photo, quad, side)
    photo, quad = _pad(photo, quad, side)
    corners = tuple((quad + 0.5).flatten())
    square = photo.transform((transform_size, transform_size), Image.Transform.QUAD, corners, Image.Resampling.BILINEAR)
    return square if size >= transform_size else square.resize((size, size), Image.Resampling.LANCZOS)


def _shrink(photo: Image.Image, quad: Points, side: float, size: int) -> tuple[Image.Image, Points, float]:
    """Reduce a photo that is far larger than needed."""
    factor = int(np.floor(side / size * 0.5))
    if factor <= 1:
        return photo, quad, side
    smaller = (round(photo.width / factor), round(photo.height / factor))
    return photo.resize(smaller, Image.Resampling.LANCZOS), quad / factor, side / factor


def _border(side: float) -> int:
    return max(round(side * 0.1), 3)


def _bounds(quad: Points) -> tuple[int, int, int, int]:
    low, high = np.floor(quad.min(axis=0)).astype(int), np.ceil(quad.max(axis=0)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _cut_out(photo: Image.Image, quad: Points, side: float) -> tuple[Image.Image, Points]:
    """Crop the photo to the surroundings of the square."""
    left, top, right, bottom = _bounds(quad)
    border = _border(side)
    box = (
        max(left - border, 0),
        max(top - border, 0),
        min(right + border, photo.width),
        min(bottom + border, photo.height),
    )
    if box[2] - box[0] < photo.width or box[3] - box[1] < photo.height:
        return photo.crop(box), quad - np.array(box[:2])
    return photo, quad


def _pad(photo: Image.Image, quad: Points, side: float) -> tuple[Image.Image, Points]:
    """Pad the photo where the square exceeds it: mirrored, fading to a blur and then to the median colour."""
    left, top, right, bottom = _bounds(quad)
    border = _border(side)
    need = np.array([border - left, border - top, right - photo.width + border, bottom - photo.height + border])
    if max(need.max(), 0) <= border - 4:
        return photo, quad
    pad = np.maximum(np.maximum(need, 0), round(side * 0.3))
    pixels = np.asarray(photo, dtype=np.float32)
    pixels = np.pad(pixels, ((pad[1], pad[3]), (pad[0], pad[2]), (0, 0)), mode="reflect")
    height, width = pixels.shape[:2]
    rows, columns = (
        np.arange(height, dtype=np.float32)[:, None, None],
        np.arange(width, dtype=np.float32)[None, :, None],
    )
    mask = np.maximum(
        1.0 - np.minimum(columns / pad[0], (width - 1 - columns) / pad[2]),
        1.0 - np.minimum(rows / pad[1], (height - 1 - rows) / pad[3]),
    )
    sigma = side * 0.02
    pixels += (gaussian_filter(pixels, [sigma, sigma, 0]) - pixels) * np.clip(mask * 3.0 + 1.0, 0.0, 1.0)
    pixels += (np.median(pixels, axis=(0, 1)) - pixels) * np.clip(mask, 0.0, 1.0)
    rounded = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    return Image.fromarray(rounded), quad + pad[:2]
