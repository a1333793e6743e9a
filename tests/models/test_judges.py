"""Full-tier judges: structure, resize rules, alignment and loading, with random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from textedit_bench.errors import CheckpointError
from textedit_bench.models import loading
from textedit_bench.models.curricularface import CurricularFace
from textedit_bench.models.face_alignment import TEMPLATE, similarity_transform, warp_faces
from textedit_bench.models.inception import Inception, _average, resized


@pytest.fixture(scope="module")
def inception():
    torch.manual_seed(0)
    return Inception()


def test_clean_resize_is_pillow_on_floats_within_five_thousandths_of_a_level():
    levels = torch.randint(0, 256, (1, 3, 120, 90), generator=torch.Generator().manual_seed(0)).float()
    found = resized(levels, "clean")
    for channel in range(3):
        picture = Image.fromarray(levels[0, channel].numpy(), mode="F").resize((299, 299), Image.Resampling.BICUBIC)
        expected = np.asarray(picture).clip(0, 255)
        assert np.abs(found[0, channel].numpy() - expected).max() <= 0.005


@pytest.mark.parametrize("size", [64, 512])
def test_torchfidelity_resize_reads_corners_without_antialiasing(size):
    levels = torch.randint(0, 256, (1, 1, size, size), generator=torch.Generator().manual_seed(1)).float()
    found = resized(levels, "torchfidelity")[0, 0].numpy()
    picture = levels[0, 0].numpy().astype(np.float64)
    for row, column in ((0, 0), (298, 298), (17, 201), (150, 3)):
        y, x = row * size / 299, column * size / 299
        top, left = int(y), int(x)
        bottom, right = min(top + 1, size - 1), min(left + 1, size - 1)
        fy, fx = y - top, x - left
        upper = picture[top, left] * (1 - fx) + picture[top, right] * fx
        lower = picture[bottom, left] * (1 - fx) + picture[bottom, right] * fx
        assert found[row, column] == pytest.approx(upper * (1 - fy) + lower * fy, abs=1e-3)
    with pytest.raises(ValueError, match="clean, torchfidelity"):
        Inception("bilinear")  # type: ignore[arg-type]


def test_the_blocks_are_torchvisions_but_for_their_pools(inception, monkeypatch):
    # With torchvision's own pools put back, the features must be those of torchvision's network.
    from torchvision.models.inception import InceptionA, InceptionC, InceptionE

    x = torch.randn(1, 3, 80, 80, generator=torch.Generator().manual_seed(2))
    ours = inception.trunk(x)
    for block in inception.network.modules():
        if isinstance(block, InceptionA | InceptionC | InceptionE):
            monkeypatch.setattr(block, "forward", lambda x, b=block: type(b).forward(b, x))
    features = []
    hook = inception.network.avgpool.register_forward_hook(lambda _m, _i, out: features.append(out.flatten(1)))
    inception.network(x)
    hook.remove()
    stock = inception.trunk(x)
    torch.testing.assert_close(stock, features[0], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(ours, stock, rtol=1e-3)


def test_average_pools_do_not_count_the_padding():
    assert torch.equal(_average(torch.ones(1, 1, 4, 4)), torch.ones(1, 1, 4, 4))


def test_inception_reads_its_file_and_refuses_torchvisions(inception, tmp_path):
    state = inception.network.state_dict()
    assert state["fc.weight"].shape == (1008, 2048)
    torch.save(state, tmp_path / "right.pth")
    loaded = loading.load_features(tmp_path / "right.pth")
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(3)) * 2 - 1
    assert loaded(image).shape == (1, 2048) and torch.equal(loaded(image), inception(image))
    wrong = {**state, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)}
    torch.save(wrong, tmp_path / "wrong.pth")
    with pytest.raises(CheckpointError, match=r"fc\.weight"):
        loading.load_features(tmp_path / "wrong.pth")


def test_template_landmarks_map_to_themselves():
    template = torch.tensor(TEMPLATE)[None]
    moved = similarity_transform(template, template[0])
    points = torch.cat([template[0].double(), torch.ones(5, 1).double()], 1) @ moved[0].T
    assert (points - template[0]).abs().max() < 0.01
    face = torch.rand(1, 3, 112, 112, generator=torch.Generator().manual_seed(4)) * 2 - 1
    torch.testing.assert_close(warp_faces(face, template), face, atol=1e-3, rtol=0)


def test_the_warp_is_scikit_images_similarity():
    from skimage.transform import SimilarityTransform

    draw = np.random.default_rng(5)
    source, target = draw.random((5, 2)) * 200, np.array(TEMPLATE)
    expected = SimilarityTransform.from_estimate(source, target).params[:2]
    found = similarity_transform(torch.tensor(source)[None], torch.tensor(target))[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def find(images):
    """The template's place in every picture that is not black."""
    points = torch.tensor(TEMPLATE).expand(len(images), 5, 2).clone()
    points[(images <= -1).flatten(1).all(1)] = float("nan")
    return points


def test_a_picture_without_a_face_has_no_embedding_and_disturbs_no_other():
    torch.manual_seed(0)
    judge = CurricularFace(((64, 1), (64, 1), (64, 1), (64, 1)), find)
    images = torch.rand(3, 3, 112, 112) * 2 - 1
    images[1] = -1.0
    rows = judge.embed(images)
    assert rows.isnan().all(1).tolist() == [False, True, False]
    torch.testing.assert_close(rows[[0, 2]].norm(dim=1), torch.ones(2))
    torch.testing.assert_close(rows[2], judge.embed(images[2:])[0], rtol=1e-4, atol=1e-5)
    assert judge.embed(images[1:2], find(images[:1])).isfinite().all()  # by the source's landmarks


def test_published_layouts_are_told_apart(monkeypatch, tmp_path):
    with torch.device("meta"):
        network = CurricularFace()
    assert sum(p.numel() for p in network.parameters()) > 60e6
    names = set(network.state_dict())
    assert {"body.48.res_layer.1.weight", "output_layer.3.weight"} <= names
    assert not any(".fc1." in name for name in names)
    seen = []
    monkeypatch.setattr(loading.CurricularFace, "from_state", lambda state, source: seen.append("ir101"))
    monkeypatch.setattr(loading.FaceNet, "from_state", lambda state, source: seen.append("facenet"))
    torch.save({"input_layer.0.weight": torch.zeros(1), "body.48.res_layer.1.weight": torch.zeros(1)}, tmp_path / "a")
    torch.save({"repeat_1.0.branch0.conv.weight": torch.zeros(1)}, tmp_path / "b")
    loading.load_judge_identity(tmp_path / "a")
    loading.load_judge_identity(tmp_path / "b")
    assert seen == ["ir101", "facenet"]


@pytest.mark.slow
def test_facenet_leaves_the_classifier_out_and_is_deterministic():
    from textedit_bench.models.facenet import FaceNet

    torch.manual_seed(0)
    made = FaceNet(find)
    state = {**made.network.state_dict(), "logits.weight": torch.zeros(8631, 512), "logits.bias": torch.zeros(8631)}
    again = FaceNet.from_state(state, "file")
    images = torch.rand(2, 3, 160, 160) * 2 - 1
    again._find = find
    torch.testing.assert_close(made.embed(images), again.embed(images))
    with pytest.raises(CheckpointError, match="no tensor"):
        FaceNet.from_state({"x": torch.zeros(1)}, "file")


def test_perceptual_trunks_are_told_by_their_layers(tmp_path):
    torch.save({"features.0.weight": torch.zeros(7, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="AlexNet"):
        loading.load_perceptual(tmp_path / "other.pth")
    torch.save({"features.0.weight": torch.zeros(64, 3, 11, 11)}, tmp_path / "half.pth")
    with pytest.raises(CheckpointError, match="lacks"):
        loading.load_perceptual(tmp_path / "half.pth")
    assert issubclass(loading.Lpips, nn.Module)
