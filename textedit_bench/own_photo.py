"""Align a user's own picture like the images of a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from textedit_bench.data.photo import open_photo, read_photo
from textedit_bench.data.pixels import to_images
from textedit_bench.errors import UserError
from textedit_bench.photos import Photos

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.alignment import Detector


def own_photo(domain: Domain, path: str | Path, *, face: int | None = None, detector: Detector | None = None) -> Photos:
    """Read one file as a photo of the domain.

    A person's photo is aligned to its face like FFHQ. Renders of a world show the whole canvas, so a picture for
    a world's generator, as for all other kinds of data sets, is cropped to its central part: a square, or the shape of
    the data set's pictures without black bars.

    Args:
        domain: the data set.
        path: the file.
        face: number of the face if there are several; 0 is the largest.
        detector: face detector; MTCNN if None.

    Raises:
        UserError: the file is missing or is not a picture; no face, several without a choice, or a choice although
            faces are not detected.
    """
    path = Path(path)
    if not is_aligned(domain):
        if face is not None:
            raise UserError(f"--face {face}: faces are not detected in photos for {domain.name}, tier {domain.tier}")
        images = read_photo(path, domain.resolution, domain.tier_card.height)
        return Photos(images.to(domain.device), (path.stem,))
    from textedit_bench.models.alignment import align_face

    square = align_face(open_photo(path), domain.resolution, face=face, detector=detector, name=str(path))
    return Photos(to_images(np.array(square)[None], domain.device), (path.stem,))


def is_aligned(domain: Domain) -> bool:
    """Whether photos are aligned to a face: real photos of people are, renders are not."""
    return domain.card.kind == "face" and domain.tier_card.world is None
