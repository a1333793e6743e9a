"""InterFaceGAN: the boundary against an independent solver, the groups, and what an edit adds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from textedit_bench import Latents, Prompt
from textedit_bench.errors import UserError
from textedit_bench.files import HOME
from textedit_methods.interfacegan.method import InterFaceGAN, extremes, separate

PROMPT = Prompt("a face with glasses", "a face", "glasses")


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path / "home"))


def _groups(seed: int, count: int = 30, dim: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    stream = torch.Generator().manual_seed(seed)
    shift = torch.randn(dim, generator=stream)
    noise = [torch.randn(count, dim, generator=stream) for _ in range(2)]
    return noise[0] + shift, noise[1] - shift


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_the_boundary_is_that_of_another_solver(penalty):
    positive, negative = _groups(0)
    codes = torch.cat([positive, negative]).double().numpy()
    codes = codes - codes.mean(0)
    codes = codes / np.sqrt((codes**2).sum(1).mean())
    signs = np.r_[np.ones(len(positive)), -np.ones(len(negative))]

    def loss(v):
        return v[:-1] @ v[:-1] / 2 + penalty * (np.maximum(0, 1 - signs * (codes @ v[:-1] + v[-1])) ** 2).sum()

    other = minimize(loss, np.zeros(codes.shape[1] + 1), method="BFGS", options={"gtol": 1e-8}).x[:-1]
    found = separate(positive, negative, penalty).normal.double().numpy()
    assert found @ other / np.linalg.norm(other) > 1 - 1e-6


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_boundary_turns_and_flips_with_its_codes(seed):
    positive, negative = _groups(seed)
    boundary = separate(positive, negative)
    assert boundary.normal.norm() == pytest.approx(1, abs=1e-5)
    means = (positive.mean(0) - negative.mean(0)) @ boundary.normal
    assert boundary.distance == pytest.approx(float(means), abs=1e-4)
    assert boundary.distance > 0
    flipped = separate(negative, positive)
    torch.testing.assert_close(flipped.normal, -boundary.normal, atol=1e-4, rtol=0)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(seed + 1))).Q
    turned = separate(positive @ turn, negative @ turn)
    torch.testing.assert_close(turned.normal, boundary.normal @ turn, atol=1e-3, rtol=0)


@pytest.mark.parametrize("groups", [(torch.zeros(0, 3), torch.ones(2, 3)), (torch.ones(2, 3), torch.ones(2, 3))])
def test_groups_without_a_boundary_are_refused(groups):
    with pytest.raises(ValueError, match="a boundary needs codes"):
        separate(*groups)


@given(st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=40), st.floats(0.01, 0.5))
def test_the_groups_are_the_two_ends_and_do_not_overlap(values, share):
    score = torch.tensor(values)
    high, low = extremes(score, share)
    assert len(high) == len(low) >= 1
    assert not set(high.tolist()) & set(low.tolist())
    assert score[high].min() >= score[low].max()


def test_an_edit_adds_multiples_of_one_offset_to_every_row(tiny_domain):
    editor = InterFaceGAN(tiny_domain(), samples=32, share=0.25)
    codes = torch.randn(3, 4, 16, generator=torch.Generator().manual_seed(0))
    half, whole = editor.edit_sweep(latents := Latents(codes, "w+"), PROMPT, [0.5, 1.0])
    offset = (whole.codes - codes)[0, 0]
    torch.testing.assert_close(offset, editor.offset(latents, PROMPT))
    torch.testing.assert_close(whole.codes, codes + offset, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(half.codes, codes + offset / 2, atol=1e-5, rtol=1e-4)


def test_the_step_goes_where_the_guiding_clip_sees_more_of_the_target(tiny_domain):
    domain = tiny_domain()
    editor = InterFaceGAN(domain, samples=256)
    codes = domain.generator.map(torch.randn(64, 16, generator=torch.Generator().manual_seed(5)))[:, None].repeat(
        1, 4, 1
    )
    edit = editor.edit(Latents(codes, "w+"), PROMPT)

    def liking(latents):
        seen = torch.nn.functional.normalize(domain.clip.encode_image(domain.generator.synthesize(latents)), dim=1)
        texts = torch.nn.functional.normalize(domain.clip.encode_text([PROMPT.target, PROMPT.source]), dim=1)
        return float((seen @ (texts[0] - texts[1])).mean())

    assert liking(edit.codes) > liking(codes) + 0.1


@pytest.mark.parametrize("given_", [{"samples": 1}, {"share": 0.6}, {"penalty": 0.0}, {"step": -1.0}, {"share": 0.0}])
def test_settings_out_of_range_are_named(tiny_domain, given_):
    with pytest.raises(UserError, match=f"setting {next(iter(given_))} of interfacegan"):
        InterFaceGAN(tiny_domain(), **given_)
