"""Scoring takes memory for a few pictures, however many there are, and measures the same in chunks of any size."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from textedit_bench.metrics import Suite, images
from textedit_bench.metrics.images import ImageBatch, ImageFeatures, LRUCache
from textedit_bench.metrics.sample import Sample
from textedit_bench.metrics.scorers import PerceptualScorer, PictureScorer
from textedit_bench.prompt import Prompt
from textedit_bench.testing.pretend_cuda import PretendCuda


class Hungry(nn.Module):
    """A trunk whose stages take five times its picture."""

    def stages(self, images: Tensor) -> list[Tensor]:
        return [images * level for level in range(5)]

    def compare(self, ours: list[Tensor], theirs: list[Tensor]) -> Tensor:
        return torch.stack([(a - b).abs().mean((1, 2, 3)) for a, b in zip(ours, theirs, strict=True)]).sum(0)

    def forward(self, images: Tensor) -> Tensor:
        return torch.stack([stage.mean((2, 3)) for stage in self.stages(images)]).sum(0)


class Domain:
    """A face domain of 1024 pixels with one network for every role."""

    world, resolution, tier, name = None, 1024, "full", "large"
    card, tier_card = SimpleNamespace(kind="face", neutral="a face"), SimpleNamespace(height=None, prompts=())
    network = staticmethod(lambda _role: Hungry())
    has, digest = staticmethod(lambda _role: True), staticmethod(lambda _role: "0")


def _batch(tag: str, count: int, side: int = 1024) -> ImageBatch:
    keys = tuple(f"{tag}{i}".encode() for i in range(count))
    return ImageBatch(torch.empty(count, 3, side, side, device="cuda"), keys, torch.ones(count, dtype=torch.bool))


SCORERS = {
    "pixel formulas": lambda sample: PictureScorer(Domain()).score(sample),
    "perceptual distance": lambda sample: PerceptualScorer(Domain()).score(sample),
    "a network's rows": lambda sample: ImageFeatures(Hungry())(sample.edit, keep=False),
}


@pytest.mark.parametrize("family", SCORERS)
def test_by_shapes_memory_does_not_grow_with_the_number_of_pictures(family: str) -> None:
    peaks = []
    with PretendCuda(shapes_only=True) as cuda, torch.no_grad():
        for count in (24, 96):
            sample = Sample(*(_batch(tag, count) for tag in "pie"), Prompt("a smile"), None)
            before = cuda.memory.start()
            SCORERS[family](sample)
            peaks.append(cuda.memory.peak - before)
    assert peaks[1] <= 1.1 * peaks[0] < 2 * images.BYTES


def test_pictures_become_ready_for_scoring_without_a_second_copy_of_all() -> None:
    grown = []
    for count in (8, 32):
        with PretendCuda() as cuda, pytest.MonkeyPatch.context() as patch:
            patch.setattr(images, "BYTES", 4 * 128 * 64 * 64)
            before = cuda.memory.start()
            ready = ImageBatch.of_pixels(np.zeros((count, 64, 64, 3), np.uint8), "cuda")
            assert not any("device to host" in kind for kind, _ in cuda.syncs)
            grown.append(cuda.memory.peak - before - ready.images.nbytes)
    assert grown[0] == grown[1] > 0


@pytest.mark.parametrize("size", [1, 2, 5])
def test_chunks_of_any_size_measure_the_same(
    domain: Any, draw: torch.Generator, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    factors = domain.world.sample(7, draw)
    photos = domain.world.render(factors).images
    inversions = (photos + 0.05 * torch.randn(photos.shape, generator=draw)).clamp(-1, 1)
    edits = (inversions + 0.05 * torch.randn(photos.shape, generator=draw)).clamp(-1, 1)
    edits[2], edits[4] = inversions[2], photos[4]
    given = {"photos": photos, "inversions": inversions, "edits": edits, "factors": factors}
    prompt = Prompt("a smiling face", source="a face", phrase="smile", attribute="mouth=smile")
    whole = Suite(domain).score_batch(**given, prompt=prompt)
    monkeypatch.setattr(images, "MOST", size)
    parts = Suite(domain).score_batch(**given, prompt=prompt)
    assert whole["psnr"].states[4] == whole["psnr_inversion"].states[2] == "identical"
    assert whole.keys() == parts.keys()
    for name, column in whole.items():
        assert column.states == parts[name].states
        # Scores are percent of a cosine in float32.
        np.testing.assert_allclose(column.values, parts[name].values, rtol=1e-4, atol=1e-4)


def test_on_a_device_the_values_are_those_of_the_cpu_and_there_is_one_wait_per_comparison(
    draw: torch.Generator,
) -> None:
    pictures = (torch.rand(3, 2, 3, 80, 80, generator=draw) * 255).byte().permute(0, 1, 3, 4, 2).numpy()
    prompt = Prompt("a smile")
    here = PictureScorer(Domain()).score(Sample(*map(ImageBatch.of_pixels, pictures), prompt, None))
    with PretendCuda() as cuda:
        there = Sample(*(ImageBatch.of_pixels(part, "cuda") for part in pictures), prompt, None)
        cuda.clear()
        found = PictureScorer(Domain()).score(there)
        assert sum(cuda.syncs.values()) == 2
    for name, column in here.items():
        np.testing.assert_array_equal(column.values, found[name].values)


def test_the_ground_truth_of_many_photos_is_not_remembered_for_good(domain: Any, draw: torch.Generator) -> None:
    suite = Suite(domain)
    suite.perfect._recent = LRUCache(2)
    for _ in range(5):
        suite.perfect(domain.world.sample(1, draw), {"mouth": "smile"})
    assert len(suite.perfect._recent) == 2
