"""What a bench of 1024-pixel photos with networks of real size keeps on the device: the same however many photos."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch

from textedit_bench.bench.plan import plan
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.session import DatasetSession
from textedit_bench.bench.store import Store
from textedit_bench.domain import load_domain
from textedit_bench.metrics.suite import Suite
from textedit_bench.models import Generator
from textedit_bench.testing.pretend_cuda import PretendCuda

pytestmark = pytest.mark.slow

GIBIBYTE = 2**30


@pytest.fixture(scope="module")
def card(tmp_path_factory) -> Path:
    """FFHQ's generator, AlexNet, Inception and FaceNet at their real sizes."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
    try:
        from large_photos import write_card
    finally:
        sys.path.pop(0)
    folder = tmp_path_factory.mktemp("large")
    card = write_card(folder)
    state = Generator(1024, 512, 512, n_mlp=8).state_dict()
    torch.save({"g_ema": state, "latent_avg": torch.zeros(512)}, folder / "generator.pt")
    return card


class _Yes:
    """Without numbers nothing can be told to be finite."""

    def all(self) -> bool:
        return True


def _black(images: torch.Tensor) -> np.ndarray:
    n, _, height, width = images.shape
    return np.zeros((n, height, width, 3), np.uint8)


def _peaks(card: Path, results: Path, images: int) -> tuple[float, float]:
    """Bytes while photos are prepared, and while a cell is computed."""
    with PretendCuda(shapes_only=True) as cuda, mock.patch.object(torch, "isfinite", lambda _: _Yes()):
        request = BenchRequest(
            methods=("no-edit",),
            datasets=(str(card),),
            tier="full",
            images=images,
            strengths=(0.0, 1.0, 2.0),
            controls=False,
            results=results,
            device="cuda",
            shard=5,
        )
        (asked,) = plan(request)
        domain = load_domain(str(card), "full", "cuda")
        with (
            mock.patch("textedit_bench.bench.inputs.to_uint8", _black),
            mock.patch("textedit_bench.bench.infer.to_uint8", _black),
        ):
            session = DatasetSession(asked, Store(results), domain, Suite(domain))
            prepared = cuda.memory.peak
            method, _ = asked.rows[0]
            session.run(session.cell(method, asked.prompts[0]), method)
            return prepared, cuda.memory.peak


def test_the_device_holds_a_pass_and_not_the_photos(card, tmp_path):
    few, many = _peaks(card, tmp_path / "few", 15), _peaks(card, tmp_path / "many", 60)
    assert max(many) < 12 * GIBIBYTE
    for before, after in zip(few, many, strict=True):
        assert after < 1.05 * before, (few, many)
