"""ArcFace reproduces the official embeddings, crop, loss gradient, from the published layout."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.models import convert, load_identity
from textedit_bench.models.identity import published_face_crop


@pytest.fixture(scope="module")
def fixture(parity):
    return parity("arcface_irse50")


@pytest.fixture(scope="module")
def weights(fixture, tmp_path_factory):
    path = tmp_path_factory.mktemp("arcface") / "weights"
    torch.save({n: t for n, t in fixture.state().items() if not n.endswith("num_batches_tracked")}, path)
    return path


@torch.no_grad()
def test_embeddings_and_crop(fixture, weights):
    network = load_identity(weights)
    fixture.check("embedding_face112", network(fixture.input("face112")))
    for side in (256, 512):
        embeddings = {}
        for name in (f"x{side}", f"y{side}"):
            embeddings[name] = network.embed(fixture.input(name))
            fixture.check(f"embedding_{name}", embeddings[name])
        loss = (1 - (embeddings[f"x{side}"] * embeddings[f"y{side}"]).sum(dim=1)).mean()
        fixture.check(f"id_loss_{side}", loss)
        fixture.check(f"crop_x{side}", published_face_crop(fixture.input(f"x{side}")))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_identity_loss_gradient(fixture, weights, dtype):
    network = load_identity(weights).to(dtype)
    images = fixture.input("x256").to(dtype).requires_grad_()
    target = network.embed(fixture.input("y256").to(dtype)).detach()
    (1000 * (1 - (network.embed(images) * target).sum(dim=1)).mean()).backward()
    fixture.check("grad_id_x1000", images.grad)


def test_half_precision_file_of_ours_keeps_the_embeddings(fixture, weights, tmp_path):
    (path,) = convert(weights, tmp_path / "id.safetensors", half=True)
    with torch.no_grad():
        faces = fixture.input("face112")
        cosine = (load_identity(path)(faces) * load_identity(weights)(faces)).sum(dim=1)
    assert (cosine > 0.9999).all()
