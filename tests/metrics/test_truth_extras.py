"""What the ground truth adds beside success: regions, leakage, geometry, pixel readings, retrieval."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.metrics import Suite
from textedit_bench.metrics.scorers.identity import GeometryReadout
from textedit_bench.metrics.similarity import mismatched, reciprocal_rank
from textedit_bench.metrics.truth import GroundTruth, PerfectEdit, Renders
from textedit_bench.prompt import Prompt
from textedit_bench.worlds.world import Factors

SMILE = Prompt("a smiling face", source="a face", attribute="mouth=smile")


def drawn(*rows: list[int]) -> Factors:
    values = torch.tensor(rows)
    return Factors(values, torch.zeros(len(values), 2), torch.zeros(len(values), 1))


def score(domain: Any, factors: Factors, edits: torch.Tensor, prompt: Prompt = SMILE) -> Any:
    photos = domain.world.render(factors).images
    return Suite(domain).score_batch(photos=photos, inversions=photos, edits=edits, prompt=prompt, factors=factors)


def test_the_region_is_where_the_asked_attribute_shows_and_what_the_edit_changes(domain: Any) -> None:
    perfect = PerfectEdit.of(Renders(domain.world), drawn([0, 0, 0]), {"mouth": "smile"})
    assert perfect.asked == {2: 1}
    # The mouth is rows 8 to 11; two pixels more on either side.
    assert perfect.region[0, 6:14].all() and not perfect.region[0, :6].any() and not perfect.region[0, 14:].any()
    remember = GroundTruth(Renders(domain.world))
    assert remember(drawn([0, 0, 0]), {"mouth": "smile"}) is remember(drawn([0, 0, 0]), {"mouth": "smile"})
    assert remember(None, {"mouth": "smile"}) is None and remember(drawn([0, 0, 0]), {}) is None
    assert GroundTruth(None)(drawn([0, 0, 0]), {"mouth": "smile"}) is None


def test_changes_inside_and_outside_the_region_are_told_apart(domain: Any) -> None:
    factors = drawn([0, 0, 0], [0, 0, 0], [0, 0, 0])
    edits = domain.world.render(factors).images
    edits[1, :, 9:11] += 0.2  # inside
    edits[2, :, 0:2] += 0.2  # outside
    columns = score(domain, factors, edits)
    assert columns["psnr_outside"].states == ["identical", "identical", "ok"]
    # 2 of 8 rows outside the region differ by 0.1 in [0, 1]: 10 log10(8 / 2) + 20 dB, up to 8-bit rounding.
    assert columns["psnr_outside"].values[2] == pytest.approx(20 + 10 * np.log10(4), abs=0.2)
    np.testing.assert_allclose(columns["l1_outside"].values, [0, 0, 0.1 / 4], atol=1e-3)
    np.testing.assert_allclose(columns["l1_inside"].values, [0, 0.1 / 4, 0], atol=1e-3)
    assert columns["lpips_outside"].values[1] == 0.0 < columns["lpips_outside"].values[2]


def test_without_truth_there_is_no_region(domain: Any) -> None:
    photos = domain.world.render(drawn([0, 0, 0])).images
    columns = Suite(domain).score_batch(photos=photos, inversions=photos, edits=photos, prompt=SMILE, factors=None)
    for name in ("psnr_outside", "l1_inside", "lpips_outside"):
        assert columns[name].states == ["no edited region known"]
    assert columns["success_pixels"].states == ["no ground truth"]


def test_the_leakage_columns_name_what_changed(domain: Any) -> None:
    factors = drawn([0, 0, 0], [0, 1, 0])
    edits = domain.world.render(factors).images
    edits[:, :, 0:4] = 1.0  # blond, which nobody asked for; the second photo's hair is under the cap
    edits[0, :, 8:12] = 0.0  # the smile that was asked for
    columns = score(domain, factors, edits)
    assert columns["changed_hair"].states == ["ok", "attribute hidden"] and columns["changed_hair"].values[0] == 1.0
    np.testing.assert_array_equal(columns["changed_mouth"].values, [1, 0])
    np.testing.assert_array_equal(columns["changed_hat"].values, [0, 0])


def test_pixels_read_the_nearest_value_and_need_no_oracle(domain: Any) -> None:
    domain.networks.pop("oracle")
    factors = drawn([0, 0, 0], [0, 0, 0], [0, 0, 1])
    edits = domain.world.render(factors).images
    edits[0, :, 8:12] = 0.2  # nearest to the smile's grey of 0
    edits[1, :, 8:12] = 0.8  # nearest to the sad mouth's
    columns = score(domain, factors, edits)
    assert columns["success_pixels"].states == ["ok", "ok", "already so"]
    np.testing.assert_array_equal(columns["success_pixels"].values[:2], [1, 0])


def test_geometry_is_read_where_it_can_be_and_drift_is_in_standard_deviations() -> None:
    draw = torch.Generator().manual_seed(0)
    factors = torch.rand(400, 3, generator=draw)
    mix = torch.randn(2, 6, generator=draw)
    embeddings = factors[:, :2] @ mix + 0.001 * torch.randn(400, 6, generator=draw)  # the third cannot be seen
    readout = GeometryReadout.fit(embeddings, factors)
    assert readout.weight.shape[1] == 2
    assert (readout.explained[:2] > 0.9).all() and readout.explained[2] < 0.2
    source = torch.tensor([[0.5, 0.5]])
    step = torch.tensor([[0.1, 0.0]])
    drift = readout.drift((source + step) @ mix, source @ mix)
    assert drift.item() == pytest.approx(0.1 / factors[:, 0].std().item() / 2**0.5, rel=0.05)
    assert readout.drift(source @ mix, source @ mix).item() == 0.0


def test_the_suite_reports_drift_and_verified_faces(domain: Any, draw: torch.Generator) -> None:
    factors = domain.world.sample(4, draw)
    photos = domain.world.render(factors).images
    edits = photos.clone()
    edits[1] = -1.0
    columns = score(domain, factors, edits)
    assert columns["identity_verified"].values.tolist() == [1.0, 0.0, 1.0, 1.0]  # a lost face is not verified
    assert columns["geometry_drift"].states[1] in ("no face in edit", "no ground truth")


def test_rank_counts_texts_that_fit_better_and_ties_against_it() -> None:
    images = torch.eye(3)
    asked, others = torch.tensor([1.0, 0.2, 0.0]), torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.9, 0.1]])
    np.testing.assert_allclose(reciprocal_rank(images, asked, others), [1.0, 1 / 3, 1 / 3])  # the last: -0 = 0, tie
    assert reciprocal_rank(torch.full((1, 3), float("nan")), asked, others).isnan().all()
    with pytest.raises(ValueError, match="mismatched"):
        reciprocal_rank(images, asked, torch.empty(0, 3))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_rank_equals_sorting(seed: int, rivals: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    image, asked, others = (torch.randn(n, 5, generator=draw) for n in (1, 1, rivals))
    texts = torch.cat([asked, others])
    order = torch.nn.functional.cosine_similarity(image, texts).argsort(descending=True).tolist()
    assert reciprocal_rank(image, asked[0], others).item() == pytest.approx(1 / (order.index(0) + 1))


def test_texts_that_ask_for_the_same_are_no_rivals() -> None:
    prompts = [
        Prompt("a blond face", attribute="hair=blond"),
        Prompt("golden hair", attribute="hair=blond"),
        Prompt("blond and old", attribute="hair=blond,age=old"),
        Prompt("red hair", attribute="hair=red"),
        Prompt("anything"),
    ]
    assert mismatched(prompts[0], prompts) == ["red hair", "anything"]
    assert mismatched(prompts[4], prompts) == [p.target for p in prompts[:4]]


def test_r_precision_is_one_or_zero_and_follows_the_rank(domain: Any, draw: torch.Generator) -> None:
    factors = domain.world.sample(6, draw)
    columns = score(domain, factors, domain.world.render(factors).images + 0.1 * torch.randn(6, 3, 16, 16))
    rank, first = columns["reciprocal_rank"].values, columns["r_precision"].values
    np.testing.assert_array_equal(first, rank == 1.0)
