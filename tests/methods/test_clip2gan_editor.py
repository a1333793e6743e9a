"""CLIP2GAN as an editor: strengths, directions, generation, the variant on given inversions, saving."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.models.state_dicts import round_to
from textedit_bench.models.storage import save_network
from textedit_bench.prompt import Prompt
from textedit_methods.clip2gan.card import CARD, CARD_E4E
from textedit_methods.clip2gan.method import CLIP2GAN, CLIP2GANFromInversion
from textedit_methods.clip2gan.network import ClipMapping

BLOND = Prompt("a face with blond hair", "a face", "blond hair")
NEUTRAL = "a face"


@pytest.fixture
def domain(tiny_domain):
    made = tiny_domain()
    made.card.neutral = NEUTRAL
    made.tier_card.source = None
    made.__dict__["inverter"] = made.made["encoder"]
    return made


@pytest.fixture
def network():
    torch.manual_seed(5)
    made = ClipMapping(16, 4, 16, depth=3).requires_grad_(False)
    made.layers[-1].weight.mul_(10)
    made.w_mean.copy_(torch.randn(16))
    made.image_mean.copy_(torch.randn(16))
    round_to(made, "int8")
    return made


@pytest.fixture
def editor(domain, network):
    """Of the paper's kind, with random weights."""

    def make(kind=CLIP2GAN, **settings):
        made = kind(domain, **{**CARD.settings, **settings})
        made._network = network
        return made

    return make


@pytest.fixture
def latents(domain):
    return domain.invert(domain.photos("train", 5))


def test_strength_zero_is_its_own_inversion(domain, editor, latents, network):
    own = network(domain.clip.encode_image(latents.images))
    assert torch.allclose(editor().edit(latents, BLOND, 0).codes, own, atol=1e-6)
    assert CARD.own_inversion and not CARD_E4E.own_inversion


@pytest.mark.parametrize("seed", [-1, 2**63, 10**25])
def test_seeds_that_no_generator_takes_are_refused(editor, seed):
    with pytest.raises(UserError, match=f"seed: {seed} is not valid"):
        editor().generate(Prompt("a face"), 1, seed)


def test_from_the_given_inversion_strength_zero_keeps_an_earlier_edit_in_style_space(domain, editor, latents):
    edited = latents.with_codes(torch.ones(len(latents), 7), "s")
    given = editor(CLIP2GANFromInversion)
    zero, one, none = given.edit_sweep(edited, BLOND, [0, 1, 0])
    assert zero is edited and none is edited
    assert torch.equal(one.codes, given.edit(latents, BLOND, 1).codes)
    assert given.edit(Latents(edited.codes, "s", ids=latents.ids), BLOND, 0).codes is edited.codes


def test_what_is_to_be_known_of_the_training_holds_for_both_ways_to_edit():
    assert CARD_E4E.caveat == CARD.caveat != {}


def test_strength_one_is_beta_times_the_direction(editor, latents):
    zero, half, whole = editor(beta=0.25).edit_sweep(latents, BLOND, [0, 0.5, 1])
    direction = editor().direction(BLOND)
    assert direction.abs().mean() > 0.01
    assert torch.allclose(whole.codes, zero.codes + 0.25 * direction, atol=1e-5)
    assert torch.allclose(half.codes, zero.codes + 0.125 * direction, atol=1e-5)
    assert whole.ids == latents.ids and torch.equal(whole.w_plus, latents.codes)


def test_the_variant_starts_from_the_given_codes(editor, latents):
    own, given = editor(), editor(CLIP2GANFromInversion)
    assert torch.equal(given.edit(latents, BLOND, 0).codes, latents.codes)
    step = given.edit(latents, BLOND).codes - latents.codes
    own_step = own.edit(latents, BLOND).codes - own.edit(latents, BLOND, 0).codes
    assert torch.allclose(step, own_step, atol=1e-5)
    assert given.weights_path() == own.weights_path()
    styles = Latents(torch.zeros(5, 7), "s", w_plus=latents.codes, images=latents.images)
    assert torch.equal(given.edit(styles, BLOND).codes, given.edit(latents, BLOND).codes)


def test_photos_that_are_not_given_are_synthesised(domain, editor, latents):
    without = Latents(latents.codes, "w+")
    drawn = domain.generator.synthesize(latents.codes)
    same = Latents(latents.codes, "w+", images=drawn)
    assert torch.allclose(editor().edit(without, BLOND).codes, editor().edit(same, BLOND).codes, atol=1e-6)


def test_the_three_directions(domain, editor, network):
    text, neutral = (domain.clip.encode_text([words]) for words in ("blond hair", NEUTRAL))
    found = {kind: editor(direction=kind).direction(BLOND) for kind in ("literal", "residual", "delta")}
    assert torch.allclose(found["literal"], network(text)[0], atol=1e-6)
    assert torch.allclose(found["literal"] - found["residual"], network.w_mean.expand(4, -1), atol=1e-5)
    assert torch.allclose(found["delta"], (network(text) - network(neutral))[0], atol=1e-5)


def test_the_neutral_text_has_no_delta_and_is_the_mean_picture_feature_once_centred(editor, network):
    neutral = Prompt(NEUTRAL)
    for gap in ("none", "centre"):
        assert editor(direction="delta", gap=gap).direction(neutral).abs().max() < 1e-5
    centred = editor(gap="centre").direction(neutral)
    assert torch.allclose(centred, network.offset(network.image_mean[None], unit_length=False)[0], atol=1e-5)


def test_centred_texts_lie_on_the_mean_picture_feature(domain, editor, network):
    text, neutral = (torch.nn.functional.normalize(domain.clip.encode_text([t])) for t in ("blond hair", NEUTRAL))
    feature = network.image_mean + 0.2 * (text - neutral)
    found = editor(gap="centre", gap_scale=0.2).direction(BLOND)
    assert torch.allclose(found, network.offset(feature, unit_length=False)[0], atol=1e-5)
    made = editor(gap="centre", gap_scale=0.2, noise="none").generate(BLOND, 1).codes
    assert torch.allclose(made[0], found + network.w_mean, atol=1e-5)


def test_rows_confine_the_edit(editor, latents):
    zero, edited = editor(rows="1,3").edit_sweep(latents, BLOND, [0, 1])
    moved = (edited.codes - zero.codes).abs().amax((0, 2)) > 1e-4
    assert moved.tolist() == [False, True, False, True]
    with pytest.raises(UserError, match="from 0 to 3"):
        editor(rows="4").edit(latents, BLOND)


def test_the_bare_phrase_is_read(editor, latents):
    same = Prompt("anything", "else", "blond hair")
    assert torch.equal(editor().edit(latents, BLOND).codes, editor().edit(latents, same).codes)
    assert not torch.allclose(editor().edit(latents, BLOND).codes, editor().edit(latents, Prompt("glasses")).codes)


def test_generation_gives_different_pictures_that_the_seed_decides(editor):
    first, same, other = (editor().generate(BLOND, 6, seed) for seed in (1, 1, 2))
    assert first.codes.shape == (6, 4, 16) and len(set(first.ids)) == 6
    assert torch.equal(first.codes, same.codes) and not torch.allclose(first.codes, other.codes)
    distances = torch.pdist(first.codes.flatten(1))
    assert distances.min() > 0.1
    assert torch.allclose(editor().generate(BLOND, 2, 1).codes, first.codes[:2], atol=1e-6)
    assert not torch.allclose(first.codes, editor().generate(Prompt("glasses"), 6, 1).codes)


def test_generation_without_noise_is_the_mapped_text(domain, editor, network):
    made = editor(noise="none").generate(BLOND, 2)
    wanted = network(domain.clip.encode_text(["blond hair"]))[0]
    assert torch.allclose(made.codes, wanted.expand(2, -1, -1), atol=1e-6)
    assert editor(sigma=0.0).generate(BLOND, 2).codes.std(0).max() < 1e-6


def test_the_rest_is_drawn_on_top_of_the_text(editor, network):
    torch.manual_seed(3)
    network.rest_basis = torch.randn(2, 64)
    plain = editor(noise="none").generate(BLOND, 40).codes
    drawn = editor(noise="none", rest=0.5).generate(BLOND, 40).codes
    difference = (drawn - plain).flatten(1)
    assert torch.linalg.matrix_rank(difference, tol=1e-3) == 2
    assert torch.allclose(
        difference / 0.5,
        editor(noise="none", rest=1.0).generate(BLOND, 40).codes.flatten(1) - plain.flatten(1),
        atol=1e-4,
    )
    network.rest_basis = torch.zeros(0, 64)
    with pytest.raises(UserError, match="rest_rank=0"):
        editor(rest=1.0).generate(BLOND, 2)


def test_the_first_pictures_do_not_depend_on_how_many_are_made(editor, network):
    network.rest_basis = torch.randn(3, 64)
    for settings in ({"rest": 1.0}, {"rest": 1.0, "draws": 3}):
        many = editor(noise="none", **settings).generate(BLOND, 5).codes
        for n in (1, 2, 4):
            assert torch.allclose(editor(noise="none", **settings).generate(BLOND, n).codes, many[:n], atol=1e-5)


def test_of_two_draws_the_guiding_clip_picks_the_closest_to_the_text(domain, editor, network):
    network.rest_basis = torch.randn(3, 64)
    kept = editor(noise="none", rest=1.0, draws=2).generate(BLOND, 3).codes
    drawn = editor(noise="none", rest=1.0).generate(BLOND, 6).codes
    words = domain.clip.encode_text([BLOND.words])
    scores = torch.cosine_similarity(domain.clip.encode_image(domain.generator.synthesize(drawn).clamp(-1, 1)), words)
    best = scores.view(3, 2).argmax(1) + torch.arange(3) * 2
    assert torch.allclose(kept, drawn[best], atol=1e-5)


def test_texts_leave_alone_what_clip_does_not_say(editor, network):
    torch.manual_seed(3)
    network.rest_basis = torch.linalg.qr(torch.randn(64, 3))[0].T * 2.0
    free, kept = (editor(keep_rest=keep).direction(BLOND).flatten() for keep in (False, True))
    assert (network.rest_basis @ free).abs().max() > 1e-2
    assert (network.rest_basis @ kept).abs().max() < 1e-4
    along = network.rest_basis.T @ (network.rest_basis @ free) / 4
    assert torch.allclose(kept, free - along, atol=1e-5)


def test_the_mini_tier_has_settings_of_its_own(domain):
    assert CLIP2GAN(domain).settings["gap"] == "centre" and CARD.settings["gap"] == "none"


def test_nothing_cannot_be_generated(editor):
    with pytest.raises(UserError, match="n: 0"):
        editor().generate(BLOND, 0)


def test_an_empty_batch_stays_empty(editor, latents):
    assert editor().edit(latents[:0], BLOND).codes.shape == (0, 4, 16)


def test_one_by_one_equals_the_batch(editor, latents):
    together = editor().edit(latents, BLOND).codes
    alone = torch.cat([editor().edit(latents[i : i + 1], BLOND).codes for i in range(5)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_save_and_load(tmp_path, domain, editor, latents):
    editor().save(tmp_path / "a.safetensors")
    other = CLIP2GAN(domain, **CARD.settings)
    other.load(tmp_path / "a.safetensors")
    assert torch.equal(other.edit(latents, BLOND).codes, editor().edit(latents, BLOND).codes)


@pytest.mark.parametrize("content", [b"", b"no network", b"\x80\x04."])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(UserError, match="bad"):
        CLIP2GAN.load_network(tmp_path / "bad")
    with pytest.raises(UserError, match="no such file"):
        CLIP2GAN.load_network(tmp_path / "missing")


def test_no_weights_says_how_to_train(domain, latents):
    for kind in (CLIP2GAN, CLIP2GANFromInversion):
        with pytest.raises(UserError, match=f"train --method {kind.info.name} --dataset tiny --tier mini"):
            kind(domain).edit(latents, BLOND)


def test_a_network_of_another_generator_is_refused(tmp_path, editor):
    save_network(ClipMapping(16, 5, 16, depth=2), tmp_path / "w.safetensors", "clip2gan")
    with pytest.raises(UserError, match="5 rows of width 16"):
        editor().load(tmp_path / "w.safetensors")


def test_another_clip_has_weights_of_its_own(domain):
    path = CLIP2GAN(domain, clip="ViT-B-16-quickgelu:openai").weights_path()
    assert path.name == "tiny-mini-vit-b-16-quickgelu-openai.safetensors"
    assert CLIP2GAN(domain).weights_path().name == "tiny-mini.safetensors"


@pytest.mark.parametrize("settings", [{"direction": "up"}, {"gap": "closed"}, {"noise": "pink"}, {"betas": 1.0}])
def test_unknown_settings_name_the_choices(domain, settings):
    with pytest.raises(UserError, match="Valid"):
        CLIP2GAN(domain, **settings)
