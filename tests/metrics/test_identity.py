"""Judges that align faces see every picture once, in the frame of its photo."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from textedit_bench.metrics.images import ImageBatch
from textedit_bench.metrics.sample import Sample
from textedit_bench.metrics.scorers import IdentityScorer
from textedit_bench.prompt import Prompt


class Judge:
    """Embeds a picture with its landmarks; pictures whose first pixel is black show no face."""

    threshold = 0.5

    def __init__(self) -> None:
        self.asked = {"landmarks": 0, "embed": 0, "shows_face": 0}

    def _face(self, images: Tensor) -> Tensor:
        return images[:, 0, 0, 0] > -1

    def landmarks(self, images: Tensor) -> Tensor:
        self.asked["landmarks"] += len(images)
        points = images[:, :, :2, :1].reshape(-1, 1, 6)[..., :2].expand(-1, 5, 2).clone()
        points[~self._face(images)] = float("nan")
        return points

    def embed(self, images: Tensor, points: Tensor | None = None) -> Tensor:
        self.asked["embed"] += len(images)
        assert points is not None
        rows = torch.cat([images.flatten(1)[:, :6], points.flatten(1)], 1)
        return torch.nn.functional.normalize(rows, dim=1)

    def shows_face(self, images: Tensor) -> Tensor:
        self.asked["shows_face"] += len(images)
        return self._face(images)


def _scorer(judge: Judge, kind: str = "face", world: object = None) -> IdentityScorer:
    domain = SimpleNamespace(
        world=world, tier="full", name="x", card=SimpleNamespace(kind=kind), network=lambda _role: judge,
        has=lambda role: role == "judge_identity", digest=lambda _role: "0",
    )  # fmt: skip
    return IdentityScorer(domain)


def _pixels(seed: int, count: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).integers(1, 256, (count, 16, 16, 3), dtype=np.uint8)


def _sample(photos: np.ndarray, inversions: np.ndarray, edits: np.ndarray) -> Sample:
    return Sample(*map(ImageBatch.of_pixels, (photos, inversions, edits)), Prompt("a smile"), None)


def test_photos_are_searched_once_and_every_other_picture_is_seen_once() -> None:
    judge, photos, inversions = Judge(), _pixels(0), _pixels(1)
    scorer = _scorer(judge)
    for strength in range(3):
        scorer.score(_sample(photos, inversions, _pixels(2 + strength)))
    assert judge.asked == {"landmarks": 4, "embed": 4 + 4 + 3 * 4, "shows_face": 3 * 4}


def test_faces_are_compared_in_the_frame_of_their_photo() -> None:
    judge, photos, inversions, edits = Judge(), _pixels(0), _pixels(1), _pixels(2)
    edits[1] = edits[0]  # one picture for two photos
    edits[2, 0, 0] = 0  # the face is gone
    edits[3] = photos[3]
    columns = _scorer(judge).score(_sample(photos, inversions, edits))
    photo, edit = (ImageBatch.of_pixels(pixels).images for pixels in (photos, edits))
    points = judge.landmarks(photo)
    expected = (judge.embed(photo, points).double() * judge.embed(edit, points).double()).sum(1)
    found = columns["identity"]
    assert found.states == ["ok", "ok", "no face in edit", "ok"]
    np.testing.assert_allclose(found.values[[0, 1, 3]], expected[[0, 1, 3]], atol=1e-6)
    assert found.values[3] == 1.0 and columns["identity_verified"].values[2] == 0.0


def test_a_photo_without_a_face_is_told_and_an_edit_that_is_the_photo_shows_what_it_shows() -> None:
    judge, photos = Judge(), _pixels(0)
    photos[1, 0, 0] = 0
    judge.shows_face = lambda images: torch.zeros(len(images), dtype=torch.bool)  # type: ignore[method-assign]
    columns = _scorer(judge).score(_sample(photos, _pixels(1), photos.copy()))
    assert columns["identity"].states == ["ok", "no face in source", "ok", "ok"]
    assert columns["identity_inversion"].states[1] == "no face in source"


def test_the_version_of_the_protocol_tells_how_presence_is_asked() -> None:
    assert _scorer(Judge()).protocols["identity"].id.endswith("+v2")
    assert _scorer(Judge(), kind="animal").protocols["identity"].id.endswith("+v1")
    assert _scorer(Judge(), world=object()).protocols["identity"].id.endswith("+v1")
