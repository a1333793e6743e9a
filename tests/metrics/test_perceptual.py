"""LPIPS: the package's formula on shared random weights, masks, and the mini tier's own distance."""

from __future__ import annotations

import re

import lpips
import pytest
import torch

from textedit_bench.models.lpips import Lpips, Net
from textedit_bench.worlds.networks.trunk import PERCEPTUAL, PerceptualDistance


def _pair(draw: torch.Generator, side: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    return tuple(torch.rand(2, 3, side, side, generator=draw) * 2 - 1 for _ in range(2))  # type: ignore[return-value]


@pytest.fixture(scope="module")
def squeeze() -> Lpips:
    torch.manual_seed(0)
    return Lpips("squeeze", side=None)


def test_adapter_is_the_formula_written_out(squeeze: Lpips, draw: torch.Generator) -> None:
    a, b = _pair(draw)
    shift = torch.tensor([-0.030, -0.088, -0.188])[:, None, None]
    scale = torch.tensor([0.458, 0.448, 0.450])[:, None, None]
    total = torch.zeros(2)
    taps = zip(*(squeeze.package.net((x - shift) / scale) for x in (a, b)), strict=True)
    for (x, y), head in zip(taps, squeeze.package.lins, strict=True):
        x, y = (t / (t.square().sum(1, keepdim=True).sqrt() + 1e-10) for t in (x, y))
        weight = head.model[-1].weight
        total += ((x - y).square() * weight.reshape(1, -1, 1, 1)).sum(1).mean((1, 2))
    torch.testing.assert_close(squeeze(a, b), total, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-8)])
@pytest.mark.parametrize("net", ["squeeze", "alex"])
def test_torchmetrics_with_the_same_trunk_gives_the_same_distance(
    draw: torch.Generator, net: Net, dtype: torch.dtype, tolerance: float
) -> None:
    from torchmetrics.functional.image.lpips import _LPIPS

    torch.manual_seed(1)
    ours, theirs = Lpips(net, side=None).to(dtype), _LPIPS(net=net, pnet_rand=True).to(dtype)
    # torchmetrics counts the slices of SqueezeNet from 0, the package from 1.
    trunk = {
        re.sub(r"^slice(\d)", lambda found: f"slices.{int(found[1]) - 1}", name) if net == "squeeze" else name: tensor
        for name, tensor in ours.package.net.state_dict().items()
    }
    theirs.net.load_state_dict(trunk)
    a, b = (t.to(dtype) for t in _pair(draw, 64))
    torch.testing.assert_close(ours(a, b), theirs(a, b).flatten(), rtol=0, atol=tolerance)


def test_trunk_weights_of_torchvision_fit(squeeze: Lpips, draw: torch.Generator) -> None:
    from torchvision.models import squeezenet1_1

    a, b = _pair(draw)
    network = squeezenet1_1(weights=None)
    given = Lpips("squeeze", network.state_dict(), side=None)
    assert not torch.allclose(given(a, b), squeeze(a, b), rtol=1e-3)
    # The last tap is the whole trunk: every layer got its own weights.
    torch.testing.assert_close(given.package.net(a)[-1], network.features(a))
    with pytest.raises(ValueError, match=r"lacks features\.0\.bias"):
        squeeze._load_trunk({})


def test_equal_pictures_are_at_distance_zero_and_order_does_not_matter(squeeze: Lpips, draw: torch.Generator) -> None:
    a, b = _pair(draw)
    assert squeeze(a, a).tolist() == [0.0, 0.0]
    torch.testing.assert_close(squeeze(a, b), squeeze(b, a))


def test_a_mask_leaves_out_what_lies_outside(squeeze: Lpips, draw: torch.Generator) -> None:
    a, _ = _pair(draw, 64)
    b = a.clone()
    b[..., :16] = 0.5
    right = torch.zeros(2, 64, 64, dtype=torch.bool)
    right[..., 48:] = True
    assert (squeeze(a, b, right) < 0.2 * squeeze(a, b, ~right)).all()
    assert squeeze(a, b, torch.zeros_like(right)).isnan().all()


def test_wrong_ranges_and_shapes_are_refused(squeeze: Lpips, draw: torch.Generator) -> None:
    a, b = _pair(draw)
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        squeeze(a * 255, b)
    with pytest.raises(ValueError, match="one shape"):
        squeeze(a, b[:1])


def test_the_mini_distance_is_the_package_formula_with_equal_weights(draw: torch.Generator) -> None:
    torch.manual_seed(1)
    network = PerceptualDistance.from_config(PERCEPTUAL).eval()
    a, b = _pair(draw, 64)
    stages = []
    with torch.no_grad():
        for x, y in zip(network.trunk(a), network.trunk(b), strict=True):
            difference = (lpips.normalize_tensor(x) - lpips.normalize_tensor(y)) ** 2
            stages.append(lpips.spatial_average(difference.sum(1, keepdim=True), keepdim=False).flatten())
        # 1e-3: the small constants in the norms differ (1e-8, 1e-10), and an untrained trunk's maps are faint.
        torch.testing.assert_close(network(a, b), torch.stack(stages).mean(0), rtol=1e-3, atol=1e-7)
        assert network(a, a).abs().max() == 0
