"""GANSpace as an editor: what a text picks, names, forms, the authors' file, strengths, errors."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.files import HOME
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.prompt import Prompt
from textedit_methods.ganspace.method import GANSpace
from textedit_methods.ganspace.picking import pick, row_ranges

GLASSES = Prompt("a face with glasses", "a face", "glasses")
BLOND = Prompt("a face with blond hair", "a face", "blond hair")
QUICK = {"components": 5, "samples": 400, "images": 3}


@pytest.fixture
def domain(tiny_domain, tmp_path, monkeypatch):
    """The tiny domain with a real generator of 32 pixels and ten rows, and a home of its own."""
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    made = tiny_domain()
    torch.manual_seed(3)
    generator = Generator(32, 16, 16, n_mlp=2, channels={4: 6, 8: 6, 16: 4, 32: 4})
    made.made["generator"] = generator.eval().requires_grad_(False)
    look = made.clip.encode_image
    made.clip.encode_image = lambda images, **kinds: look(F.adaptive_avg_pool2d(images, 8), **kinds)
    made.card.neutral = "a face"
    return made


@pytest.fixture
def latents():
    return Latents(torch.randn(3, 8, 16, generator=torch.Generator().manual_seed(4)), "w+", ids=("a", "b", "c"))


def test_the_text_picks_what_moves_clip_most_along_it(domain, latents):
    editor = GANSpace(domain, **QUICK, step=2.5)
    components, generator, clip = editor.components, domain.generator, domain.clip
    codes = generator.map(torch.randn(3, 16, generator=torch.Generator().manual_seed(0)))[:, None].repeat(1, 8, 1)
    texts = F.normalize(clip.encode_text([GLASSES.target, GLASSES.source]), dim=1)
    best = (0.0, None)
    for component in range(5):
        for start, end in ((0, 8), (0, 4), (4, 8)):
            ends = []
            for sign in (1, -1):
                moved = codes.clone()
                moved[:, start:end] += sign * 3 * components.std[component] * components.comp[component]
                ends.append(F.normalize(clip.encode_image(generator.synthesize(moved)), dim=1))
            product = float((ends[0] - ends[1]).mean(0) @ (texts[0] - texts[1]))
            best = max(best, (abs(product), (component, start, end, np.sign(product))))
    component, start, end, sign = best[1]
    wanted = latents.codes.clone()
    wanted[:, start:end] += sign * 2.5 * components.std[component] * components.comp[component]
    torch.testing.assert_close(editor.edit(latents, GLASSES).codes, wanted)


def test_components_are_those_of_w(domain):
    found = GANSpace(domain, **QUICK).components
    codes = domain.generator.map(torch.randn(20_000, 16, generator=torch.Generator().manual_seed(9))).double()
    variance, vectors = torch.linalg.eigh(codes.T.cov())
    assert ((found.comp.double() @ vectors.flip(1)[:, :5]).square().sum(1) > 0.8).all()  # of the same five-space
    torch.testing.assert_close(found.std.double(), variance.flip(0)[:5].sqrt(), rtol=0.1, atol=0)
    assert len(GANSpace(domain, components=80, samples=400).components.std) == 16  # no more than there are


def test_strengths_multiply_the_step_and_0_gives_the_codes_back(domain, latents):
    none, half, whole, back = GANSpace(domain, **QUICK).edit_sweep(latents, GLASSES, [0.0, 0.5, 1.0, -1.0])
    assert none is latents and whole.space == "w+"
    torch.testing.assert_close(2 * (half.codes - latents.codes), whole.codes - latents.codes)
    torch.testing.assert_close(back.codes - latents.codes, latents.codes - whole.codes)
    assert (whole.codes != latents.codes).any()


@pytest.mark.parametrize("form", ["centred", "absolute"])
def test_forms_that_look_at_the_code_arrive_at_strength_1(domain, latents, form):
    editor = GANSpace(domain, **QUICK, named="2:0-8:3", form=form)
    half, whole = editor.edit_sweep(latents, GLASSES, [0.5, 1.0])
    components = editor.components
    torch.testing.assert_close(whole.codes, components(latents.codes, 2, 0, 8, 3.0, form), atol=1e-5, rtol=1e-5)
    coordinate = (whole.codes[:, 0] - components.mean) @ components.comp[2] / components.std[2]
    torch.testing.assert_close(coordinate, torch.full((3,), 3.0), atol=1e-4, rtol=0)
    torch.testing.assert_close(2 * half.codes, latents.codes + whole.codes)


@pytest.mark.parametrize("rule", ["change", "cosine"])
def test_what_is_needed_once_is_made_once(domain, latents, monkeypatch, caplog, rule):
    wanted = GANSpace(domain, **QUICK, rule=rule).edit(latents, GLASSES)
    for name in ("effects", "spread"):
        monkeypatch.setattr(f"textedit_methods.ganspace.method.{name}", lambda *_: pytest.fail("made again"))
    caplog.set_level(logging.INFO)
    again = GANSpace(domain, **QUICK, rule=rule)
    assert torch.equal(again.edit(latents, GLASSES).codes, wanted.codes)
    assert "'glasses' moves component " in caplog.text
    again.edit(latents, BLOND)  # another prompt costs a product


def test_a_prompt_without_a_source_is_against_the_neutral_text(domain):
    editor = GANSpace(domain, **QUICK)
    assert editor.edits_for(Prompt(GLASSES.target, None, "glasses")) == editor.edits_for(GLASSES)
    with pytest.raises(UserError, match="the same to CLIP"):
        editor.edits_for(Prompt("a face", None, "face"))


@given(st.integers(1, 24))
def test_row_ranges_are_distinct_and_cover_the_generator(rows):
    ranges = row_ranges(rows)
    assert ranges[0] == (0, rows) and len(set(ranges)) == len(ranges)
    assert {row for start, end in ranges[1:] for row in range(start, end)} in (set(), set(range(rows)))


@given(st.integers(0, 1000), st.sampled_from(["change", "cosine"]))
def test_a_pick_goes_along_the_text_and_turns_with_it(seed, rule):
    stream = torch.Generator().manual_seed(seed)
    changes, text = torch.randn(4, 3, 6, generator=stream), torch.randn(6, generator=stream)
    found, opposite = pick(changes, text, rule, 3), pick(changes, -text, rule, 3)
    assert found[0] == pick(changes, text, rule)[0] and abs(found[0].weight) == 1
    for one, other in zip(found, opposite, strict=True):
        assert one[:2] == other[:2] and one.weight == -other.weight and abs(one.weight) <= 1
        assert one.weight * changes[one.component, one.range] @ text > 0
    longer = changes.clone()
    longer[3, 2] *= 100
    again = [one[:2] for one in pick(longer, text, rule, 3)]
    assert rule == "change" or again == [one[:2] for one in found]  # a cosine does not see lengths


def test_several_picks_move_as_far_as_each_lies_along_the_text(domain, latents):
    editor = GANSpace(domain, **QUICK, picks=3, step=2.0)
    edits = editor.edits_for(GLASSES)
    products = (editor.effects @ (_unit(domain, GLASSES.target) - _unit(domain, GLASSES.source))).abs()
    assert sorted(abs(edit.deviations) / 2 for edit in edits) == pytest.approx(
        (products.flatten().sort().values[-3:] / products.max()).tolist()
    )
    one_by_one = latents.codes
    for component, start, end, deviations, form in edits:
        one_by_one = editor.components(one_by_one, component, start, end, deviations, form)
    torch.testing.assert_close(editor.edit(latents, GLASSES).codes, one_by_one)


def _unit(domain, text):
    return F.normalize(domain.clip.encode_text([text])[0], dim=0)


# -- names and the authors' file -------------------------------------------------------------------------------------
@pytest.fixture
def file(tmp_path, domain):
    """Components as they circulate, for the tiny generator."""
    torch.manual_seed(5)
    comp = torch.linalg.qr(torch.randn(16, 16)).Q[:, None]
    torch.save({"mean": torch.randn(1, 16), "comp": comp, "std": torch.rand(16) + 1}, tmp_path / "ffhq_pca.pt")
    return tmp_path / "ffhq_pca.pt", comp[:, 0]


def test_a_published_edit_is_an_offset_of_the_published_component(domain, latents, file):
    domain.card.name = "cat"
    editor = GANSpace(domain, **QUICK, file=str(file[0]), named="3:5-8:-20")
    moved = (editor.edit(latents, GLASSES).codes - latents.codes) / (-20 * editor.components.std[3])
    torch.testing.assert_close(moved[:, 5:8], file[1][3].expand(3, 3, -1), atol=1e-5, rtol=1e-4)
    assert not moved[:, :5].any()
    assert editor.released_files() == (file[0],) and editor.released_weights() is None


def test_names_belong_to_a_data_set_and_to_the_published_components(domain, file):
    domain.card.name = "cat"
    with pytest.raises(UserError, match="needs the published components; name their file"):
        GANSpace(domain, **QUICK, named="fluffiness").prepare(GLASSES)
    with pytest.raises(UserError, match=r"'fluffines'.*Did you mean 'fluffiness'"):
        GANSpace(domain, **QUICK, named="fluffines", file=str(file[0])).prepare(GLASSES)
    with pytest.raises(UserError, match="component 27; valid: 0 to 15"):  # these components are sixteen
        GANSpace(domain, **QUICK, named="fluffiness", file=str(file[0])).prepare(GLASSES)
    for rows in ("5-5", "4-9", "6-2"):
        with pytest.raises(UserError, match=f"rows {rows}; valid: START < END, at most 8"):
            GANSpace(domain, **QUICK, named=f"1:{rows}:2").prepare(GLASSES)


def test_a_text_picks_among_the_authors_components_too(domain, latents, file):
    editor = GANSpace(domain, images=2, file=str(file[0]))
    (found,) = editor.edits_for(GLASSES)
    moved = (editor.edit(latents, GLASSES).codes - latents.codes)[0, found.start]
    torch.testing.assert_close(
        moved, found.deviations * editor.components.std[found.component] * file[1][found.component]
    )
    assert editor.effects.shape == (16, 3, 16)


def test_components_of_another_width_are_refused(domain, file, tmp_path):
    torch.save({"mean": torch.zeros(8), "comp": torch.eye(8), "std": torch.ones(8)}, tmp_path / "b.pt")
    with pytest.raises(UserError, match=r"b\.pt: components of width 8; tiny has 16"):
        GANSpace(domain, file=str(tmp_path / "b.pt")).prepare(GLASSES)
    with pytest.raises(UserError, match=r"file of ganspace: .*none: no such file"):
        GANSpace(domain, file=str(tmp_path / "none")).released_files()


@pytest.mark.parametrize(
    "given_", [{"components": 0}, {"samples": 1}, {"step": 0.0}, {"width": -1.0}, {"images": 0}, {"form": "inverted"}]
)
def test_settings_out_of_range_are_named(domain, given_):
    with pytest.raises(UserError, match=f"setting {next(iter(given_))} of ganspace"):
        GANSpace(domain, **given_)
