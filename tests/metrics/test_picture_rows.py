"""Bars beside a picture count nowhere, and protocols say which rows did."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from textedit_bench.bench.generation.judges import GenerationJudges
from textedit_bench.data.pixels import to_uint8
from textedit_bench.metrics.pixels import psnr
from textedit_bench.metrics.suite import Suite
from textedit_bench.prompt import Prompt

ROWS = slice(2, 14)
PROMPT = Prompt("a smiling face", source="a face")


def barred(domain: Any, world: Any) -> Any:
    domain.world = world
    domain.tier_card = SimpleNamespace(**{**vars(domain.tier_card), "height": 12})
    return domain


@pytest.fixture
def pictures(draw: torch.Generator) -> torch.Tensor:
    """Photos and edits [2, 3, 3, 16, 16] whose bars are black and equal."""
    made = torch.randint(0, 256, (2, 3, 3, 16, 16), generator=draw) / 127.5 - 1.0
    made[..., :2, :] = made[..., 14:, :] = -1.0
    return made


def measured(domain: Any, photos: torch.Tensor, edits: torch.Tensor) -> dict[str, Any]:
    suite = Suite(domain)
    return suite.score_batch(photos=photos, inversions=photos, edits=edits, prompt=PROMPT, factors=None)


def seen_by_the_judges(domain: Any) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    domain.networks["perceptual"].register_forward_pre_hook(lambda _m, given: shapes.append(tuple(given[0].shape)))
    domain.networks["features"].register_forward_pre_hook(lambda _m, given: shapes.append(tuple(given[0].shape)))
    return shapes


def test_real_photos_are_judged_without_their_bars(domain: Any, pictures: torch.Tensor) -> None:
    for role in ("clip", "judge_clip", "identity", "judge_identity"):  # linear maps of 16 x 16 here
        del domain.networks[role]
    domain = barred(domain, None)
    shapes = seen_by_the_judges(domain)
    columns = measured(domain, *pictures)
    expected = psnr((pictures[1, :, :, ROWS] + 1) / 2, (pictures[0, :, :, ROWS] + 1) / 2)
    torch.testing.assert_close(torch.tensor(columns["psnr"].values), expected, rtol=0, atol=1e-5)
    whole = psnr((pictures[1] + 1) / 2, (pictures[0] + 1) / 2)
    torch.testing.assert_close(whole - expected, torch.full((3,), 1.25, dtype=torch.float64), rtol=0, atol=0.005)
    suite = Suite(domain)
    suite.features(pictures[0])
    assert shapes and all(shape[-2:] == (12, 16) for shape in shapes)
    assert all("+rows=2-13+" in protocol.id for protocol in suite.protocols.values())


def test_a_worlds_networks_see_the_canvas_and_pixel_formulas_the_picture(domain: Any, pictures: torch.Tensor) -> None:
    domain = barred(domain, domain.world)
    shapes = seen_by_the_judges(domain)
    columns = measured(domain, *pictures)
    expected = psnr((pictures[1, :, :, ROWS] + 1) / 2, (pictures[0, :, :, ROWS] + 1) / 2)
    torch.testing.assert_close(torch.tensor(columns["psnr"].values), expected, rtol=0, atol=1e-5)
    assert shapes and all(shape[-2:] == (16, 16) for shape in shapes)
    rows = {name for name, protocol in Suite(domain).protocols.items() if "+rows=2-13+" in protocol.id}
    assert {"psnr", "ssim_outside", "l1_inside"} <= rows and "lpips" not in rows and "fid_real" not in rows


def test_pixels_outside_the_region_are_counted_in_the_picture_alone(domain: Any) -> None:
    world = domain.world
    factors = world.split_factors("evaluation", range(4))
    photos = world.render(factors).images
    edits = photos.clone()
    edits[:, :, :2] += 0.5  # an edit of the bar
    suite = Suite(barred(domain, world))
    prompt = Prompt("a smiling face", source="a face", attribute="mouth=smile")
    columns = suite.score_batch(photos=photos, inversions=photos, edits=edits, prompt=prompt, factors=factors)
    assert (columns["l1_outside"].values == 0).all() and (columns["l1_inside"].values == 0).all()


def test_a_canvas_without_bars_keeps_its_protocols(domain: Any) -> None:
    assert not any("+rows=" in protocol.id for protocol in Suite(domain).protocols.values())


def test_generated_pictures_are_compared_without_their_bars(domain: Any, pictures: torch.Tensor) -> None:
    for role in ("clip", "judge_clip", "identity", "judge_identity"):
        del domain.networks[role]
    domain = barred(domain, None)
    judges = GenerationJudges(domain, Suite(domain))
    shapes = seen_by_the_judges(domain)
    judges.score(to_uint8(pictures[0]), PROMPT)
    assert shapes and all(shape[-2:] == (12, 16) for shape in shapes)
    assert "+rows=2-13+" in judges.protocols["pair_distance"].id
