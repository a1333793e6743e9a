"""The mappers give the numbers of the published code, for any number of rows and widths; Ranger takes its steps."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.latent_mapper.network import LevelsMapper, SingleMapper, StyleMapper
from textedit_bench.training.ranger import Ranger
from textedit_methods.styleclip_mapper.method import StyleCLIPMapper


@pytest.mark.parametrize(
    ("name", "source", "output"),
    [
        ("levels_mapper", "wplus", "delta"),
        ("levels_mapper_no_fine", "wplus", "delta"),
        ("single_mapper", "wplus", "delta"),
        ("full_stylespace_mapper", "s", "delta_s"),
        ("without_torgb_mapper", "s", "delta_s"),
    ],
)
def test_published_numbers(parity, tmp_path, name, source, output):
    """Through a released file, generator and options included."""
    published = parity(f"styleclip_{name}")
    state = {f"mapper.{key}": value for key, value in published.state().items()}
    state |= {"decoder.conv1.conv.weight": torch.zeros(3), "decoder.noises.noise_0": torch.ones(1)}
    torch.save({"state_dict": state, "opts": {"lr": 0.5, "mapper_type": "LevelsMapper"}}, tmp_path / "best_model.pt")
    code = published.input(source)
    delta = StyleCLIPMapper.load_network(tmp_path / "best_model.pt")(code)
    published.check(output, delta)
    if source == "wplus":
        published.check("w_hat", code + 0.1 * delta)


def test_ranger_takes_the_published_steps(parity):
    published = parity("styleclip_misc")
    for name in "wbk":
        parameter = torch.nn.Parameter(published.input(f"p_{name}"))
        optimizer = Ranger([parameter])
        taken = []
        for gradient in published.input(f"g_{name}"):
            parameter.grad = gradient
            optimizer.step()
            taken.append(parameter.detach().clone())
        published.check(f"ranger_{name}", torch.stack(taken))


def test_ranger_resumes_from_its_state():
    torch.manual_seed(0)
    gradients = torch.randn(9, 3, 4)
    whole, first = (torch.nn.Parameter(torch.ones(3, 4)) for _ in range(2))

    def go(parameter, optimizer, part):
        for gradient in part:
            parameter.grad = gradient.clone()
            optimizer.step()

    go(whole, Ranger([whole]), gradients)
    before = Ranger([first])
    go(first, before, gradients[:4])
    second = torch.nn.Parameter(first.detach().clone())
    after = Ranger([second], lr=9.0)
    after.load_state_dict(before.state_dict())
    go(second, after, gradients[4:])
    assert torch.equal(whole, second)


@given(rows=st.integers(1, 20), dim=st.integers(1, 9), batch=st.integers(1, 3))
def test_any_rows_and_width(rows, dim, batch):
    for mapper in (SingleMapper(dim), LevelsMapper(dim), LevelsMapper(dim, normalise="channels")):
        assert mapper(torch.randn(batch, rows, dim)).shape == (batch, rows, dim)


@given(off=st.sets(st.sampled_from(["coarse", "medium", "fine"]), max_size=2))
def test_groups_that_are_off_have_no_parameters_and_are_left_alone(off):
    on = [group for group in ("coarse", "medium", "fine") if group not in off]
    mapper = LevelsMapper(5, on)
    rows = {"coarse": slice(0, 4), "medium": slice(4, 8), "fine": slice(8, 14)}
    delta = mapper(torch.randn(2, 14, 5))
    assert sum(p.numel() for p in mapper.parameters()) == len(on) * 4 * (25 + 5)
    for group, part in rows.items():
        assert bool(delta[:, part].any()) == (group in on)


def test_released_norm_runs_over_the_rows_by_hand():
    """Rows 3 and 4 of one channel: divided by sqrt((9 + 16) / 2)."""
    norm = SingleMapper(1).mapping.mapping[0]
    found = norm(torch.tensor([[[3.0], [4.0]]])).flatten().tolist()
    assert found == pytest.approx([3 / 12.5**0.5, 4 / 12.5**0.5], rel=1e-6)
    ours = SingleMapper(2, "channels").mapping.mapping[0]
    assert ours(torch.tensor([[[3.0, 4.0]]])).flatten().tolist() == pytest.approx([3 / 12.5**0.5, 4 / 12.5**0.5])


def test_group_of_a_levels_mapper_reads_nothing_of_the_others():
    mapper = LevelsMapper(4)
    code = torch.randn(1, 10, 4)
    changed = code.clone()
    changed[:, 4:] += 1
    assert torch.equal(mapper(code)[:, :4], mapper(changed)[:, :4])
    assert not torch.equal(mapper(code)[:, 4:8], mapper(changed)[:, 4:8])


def test_style_mapper_leaves_torgb_alone():
    mapper = StyleMapper([3, 3, 2], [0, 2])
    delta = mapper(torch.randn(4, 8))
    assert not delta[:, 3:6].any() and delta[:, :3].all() and delta[:, 6:].all()


@pytest.mark.parametrize(
    ("mapper", "codes", "message"),
    [
        (SingleMapper(4), torch.zeros(1, 10, 5), "rows, 4"),
        (LevelsMapper(4), torch.zeros(10, 4), "rows, 4"),
        (StyleMapper([3, 3], [0]), torch.zeros(1, 5), "B, 6"),
    ],
)
def test_wrong_shapes_are_refused(mapper, codes, message):
    with pytest.raises(ValueError, match=message):
        mapper(codes)
