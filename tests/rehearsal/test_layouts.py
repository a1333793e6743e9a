"""The made-up files have the published layouts: their totals, their fill rule, and every reader's consent."""

from __future__ import annotations

import math
import sys

import open_clip
import pytest
import torch

from textedit_bench.models import load_clip, load_discriminator, load_generator
from textedit_bench.models.identity import ArcFace
from textedit_bench.models.loading import load_judge_identity
from textedit_workshop.rehearsal.filling import value
from textedit_workshop.rehearsal.layouts.clip import VIT_L_14, clip_shapes, write_openai_clip
from textedit_workshop.rehearsal.layouts.irse import arcface_shapes, encoder_shapes
from textedit_workshop.rehearsal.layouts.judges import write_dinov2
from textedit_workshop.rehearsal.layouts.stylegan2 import discriminator_shapes, generator_shapes, write_rosinality
from textedit_workshop.rehearsal.layouts.tensorflow import write_tensorflow
from textedit_workshop.rehearsal.sizes import ClipSize, Sizes

PUBLISHED = {
    # resolution: rows, style channels, without toRGB, generator (tensors, bytes), discriminator (tensors, parameters),
    # encoder (tensors, parameters)
    1024: (18, 9088, 6048, (171, 132_665_968), (64, 29_012_513), (621, 267_136_704)),
    512: (16, 8960, 5952, (153, 123_903_324), (57, 28_982_849), (593, 238_293_696)),
    256: (14, 8704, 5760, (135, 120_837_064), (50, 28_864_129), (565, 209_450_688)),
}
COUNTED_BUFFERS = ("running_mean", "running_var", "num_batches_tracked", "kernel")


def parameters(shapes):
    return sum(math.prod(shape) for name, shape in shapes.items() if not name.endswith(COUNTED_BUFFERS))


@pytest.mark.parametrize("resolution", PUBLISHED)
def test_totals_are_the_published_ones(resolution):
    rows, styles, edited, generator, discriminator, encoder = PUBLISHED[resolution]
    sizes = Sizes(resolution=resolution)
    assert (sizes.rows, sum(c for c, _ in sizes.style_layers), sum(sizes.edited_channels)) == (rows, styles, edited)
    shapes = generator_shapes(sizes)
    assert (len(shapes), 4 * sum(map(math.prod, shapes.values()))) == generator
    shapes = discriminator_shapes(sizes)
    assert (len(shapes), parameters(shapes)) == discriminator
    shapes = encoder_shapes(sizes)
    assert (len(shapes), parameters(shapes)) == encoder


def test_arcface_and_clip_have_the_published_totals():
    assert (len(arcface_shapes()), parameters(arcface_shapes())) == (343, 43_797_696)
    assert parameters(clip_shapes(ClipSize())) == 151_277_313
    with torch.device("meta"):
        own = ArcFace().state_dict()
    assert {n: tuple(t.shape) for n, t in own.items() if "tracked" not in n} == arcface_shapes()


def test_the_fill_rule_is_that_of_the_parity_fixtures(parity_fill):
    small = Sizes(resolution=16, w_dim=8, widest=8, channel_base=128, mapping_layers=2)
    encoder = {name: shape for name, shape in encoder_shapes(small).items() if math.prod(shape) < 40_000}
    for name, shape in {**generator_shapes(small), **discriminator_shapes(small), **encoder}.items():
        ours, theirs = value(name, shape, "salt"), parity_fill.tensor(name, shape, "salt")
        assert ours.dtype == theirs.dtype and (ours == theirs).all(), name


def test_both_files_of_a_generator_hold_the_same_networks(sizes, tmp_path):
    write_rosinality(tmp_path / "a.pt", sizes, "salt")
    write_tensorflow(tmp_path / "b.pkl", sizes, "salt")
    assert "dnnlib" not in sys.modules
    first, second = load_generator(tmp_path / "a.pt"), load_generator(tmp_path / "b.pkl")
    codes = torch.randn(2, sizes.rows, sizes.w_dim, generator=torch.Generator().manual_seed(0))
    images = first.synthesize(codes)
    assert images.shape == (2, 3, 32, 32) and 0.1 < images.std() < 10
    assert torch.equal(second.synthesize(codes), images) and torch.equal(first.w_mean, second.w_mean)
    judged = load_discriminator(tmp_path / "a.pt")(images)
    assert torch.equal(load_discriminator(tmp_path / "b.pkl")(images), judged) and judged.std() > 0


def test_the_clip_archive_tells_texts_and_pictures_apart(sizes, tmp_path):
    write_openai_clip(tmp_path / "clip.pt", sizes, "salt")
    clip = load_clip(tmp_path / "clip.pt")
    texts = clip.encode_text(["a cat", "a church"])
    assert texts.shape == (2, 32) and not torch.allclose(texts[0], texts[1])
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert clip.encode_image(images).isfinite().all()


def test_the_judges_are_those_of_their_publishers(tmp_path, sizes):
    shapes = clip_shapes(VIT_L_14)
    with torch.device("meta"):
        published = open_clip.CLIP(**open_clip.get_model_config("ViT-L-14"))
    assert shapes == {name: tuple(tensor.shape) for name, tensor in published.state_dict().items()}
    write_dinov2(tmp_path / "dino.pth", sizes, "dinov2-b14")
    judge = load_judge_identity(tmp_path / "dino.pth")
    tokens = judge.embed(torch.rand(2, 3, 64, 64) * 2 - 1)
    assert tokens.shape == (2, 768) and float((tokens[0] * tokens[1]).sum()) < 0.9999
