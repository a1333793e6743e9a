"""TediGAN's optimisation: the loss by hand, where it goes, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch

from textedit_bench import Latents, Prompt
from textedit_bench.errors import UserError
from textedit_bench.files import HOME
from textedit_bench.models.stylegan2 import Generator
from textedit_methods.tedigan.card import CARD, Settings
from textedit_methods.tedigan.features import FeatureDistance
from textedit_methods.tedigan.method import TediGAN, terms

PROMPT = Prompt("a face with glasses", "a face", "glasses")


def _codes(count: int = 3) -> torch.Tensor:
    return torch.randn(count, 4, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("weights", [(1, 0, 0), (0, 3, 0), (0, 0, 2), (2, 1, 0.5)])
def test_the_loss_is_the_sum_that_the_readme_states(tiny_domain, weights):
    domain, codes = tiny_domain(), _codes()
    photos = domain.photos("train", 3).images
    text = domain.clip.encode_text(["glasses"])[0]
    clip, pixel, encoder = weights
    values = Settings(clip_weight=clip, pixel_weight=pixel, encoder_weight=encoder)
    found = sum(terms(domain, values, photos, text, codes).values())
    for i in range(3):
        image = domain.generator.synthesize(codes[i : i + 1])
        seen = domain.clip.encode_image(image)[0]
        wanted = clip * (1 - seen @ text / seen.norm() / text.norm())
        wanted = wanted + pixel * ((image[0] - photos[i]) ** 2).mean()
        wanted = wanted + encoder * ((domain.network("encoder").encode(image)[0] - codes[i]) ** 2).mean()
        assert float(found[i]) == pytest.approx(float(wanted), rel=1e-4, abs=1e-5)


@pytest.fixture
def vgg(tmp_path):
    """A file of a random VGG-16, and its features as torchvision has them."""
    from torchvision.models import vgg16

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        whole = vgg16(weights=None).eval()
    torch.save(whole.state_dict(), tmp_path / "vgg16.pth")
    return tmp_path / "vgg16.pth", whole.features[:23]


def test_the_feature_term_is_that_of_the_release(tiny_domain, vgg):
    """Blue, green, red on 0 to 255 less Caffe's means, after the third convolution of block four and its ReLU."""
    path, network = vgg
    images, photos = (torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(i)) * 2 - 1 for i in (0, 1))
    term = FeatureDistance(path)
    wanted = []
    for picture, photo in zip(images, photos, strict=True):
        seen = []
        for red, green, blue in (picture, photo):
            levels = [255 * (blue + 1) / 2 - 103.939, 255 * (green + 1) / 2 - 116.779, 255 * (red + 1) / 2 - 123.68]
            seen.append(network(torch.stack(levels)[None]))
        wanted.append(((seen[0] - seen[1]) ** 2).mean())
    torch.testing.assert_close(term(images, term.maps(photos)), torch.stack(wanted))


def test_large_pictures_are_reduced_for_the_feature_term(vgg):
    term = FeatureDistance(vgg[0])
    small = torch.rand(1, 3, 256, 256) * 2 - 1
    torch.testing.assert_close(term.maps(small.repeat_interleave(2, 2).repeat_interleave(2, 3)), term.maps(small))


def test_the_feature_term_is_added_with_its_weight_and_holds_the_photo(tiny_domain, vgg):
    domain, codes = tiny_domain(), _codes(2)
    photos = domain.photos("train", 2).images
    pull = {"clip_weight": 0.0, "pixel_weight": 0.0, "encoder_weight": 0.0, "feature_weight": 2.0}
    editor = TediGAN(domain, feature_network=str(vgg[0]), steps=10, learning_rate=0.1, **pull)

    def away(codes):
        return editor.features(domain.generator.synthesize(codes), editor.features.maps(photos))

    compared = editor.features.maps(photos)
    found = terms(
        domain, editor.values, photos, torch.ones(16), codes, features=lambda images: editor.features(images, compared)
    )
    torch.testing.assert_close(found["feature"], 2 * away(codes))
    edit = editor.edit(Latents(codes, "w+", images=photos), PROMPT)
    assert (away(edit.codes) < away(codes)).all()
    assert editor.released_files() == (vgg[0],) and editor.released_weights() is None


def test_a_feature_term_without_a_network_is_refused(tiny_domain, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path))
    editor = TediGAN(tiny_domain(), feature_weight=5e-5)
    assert "no network: vgg16.pth" in (editor.refusal(PROMPT) or "")
    with pytest.raises(UserError, match="no network"):
        editor.edit(Latents(_codes(), "w+"), PROMPT)
    with pytest.raises(UserError, match=r"feature_network of tedigan: none\.pth: no such file"):
        TediGAN(tiny_domain(), feature_weight=1.0, feature_network="none.pth").refusal(PROMPT)


def test_the_term_that_came_later_leaves_stored_results_valid(tiny_domain):
    """At their defaults its settings are no part of a cell's identity; elsewhere they are."""
    usual = CARD.settings_for("full")
    assert not {"feature_weight", "feature_network", "truncation"} & set(CARD.identity_settings(usual))
    asked = CARD.identity_settings({**usual, "feature_weight": 5e-5})
    assert asked == {**CARD.identity_settings(usual), "feature_weight": 5e-5}
    editor = TediGAN(tiny_domain())
    assert editor.released_files() == () and editor.features is None and editor.lacks() is None


def test_the_text_pulls_and_the_photo_holds(tiny_domain):
    domain, codes = tiny_domain(), _codes()
    images = domain.generator.synthesize(codes)
    text = domain.clip.encode_text([PROMPT.target])

    def outcome(**settings):
        editor = TediGAN(domain, encoder_weight=0.0, steps=20, learning_rate=0.05, **settings)
        shown = domain.generator.synthesize(editor.edit(Latents(codes, "w+", images=images), PROMPT).codes)
        likeness = torch.nn.functional.cosine_similarity(domain.clip.encode_image(shown), text).mean()
        return float(likeness), float((shown - images).square().mean())

    before = float(torch.nn.functional.cosine_similarity(domain.clip.encode_image(images), text).mean())
    free, held = outcome(pixel_weight=0.0), outcome(pixel_weight=100.0)
    assert free[0] > before + 0.05
    assert held[1] < free[1] / 2


def test_pictures_of_a_text_alone_start_from_samples_and_stay_near_them(tiny_domain):
    domain = tiny_domain()
    domain.made["generator"] = Generator(8, 16, 16, n_mlp=2, channels={4: 6, 8: 5}).eval().requires_grad_(False)
    editor = TediGAN(domain, steps=5, learning_rate=0.05, encoder_weight=0.0)
    four = editor.generate(PROMPT, 4, seed=3)
    starts = editor.random_codes(4, 3, 0.7)
    assert torch.equal(four.codes, editor.optimize(starts.codes, domain.generator.synthesize(starts.codes), PROMPT))
    torch.testing.assert_close(editor.generate(PROMPT, 2, seed=3).codes, four.codes[:2], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(editor.generate(PROMPT, 2, seed=4).codes, four.codes[:2], atol=0.01)
    with pytest.raises(UserError, match="n:"):
        editor.generate(PROMPT, 0)


def test_images_end_where_they_would_end_alone_whatever_the_batch(tiny_domain):
    domain, codes = tiny_domain(), _codes()
    together = TediGAN(domain, steps=4, batch_size=3).optimize(codes, None, PROMPT)
    apart = TediGAN(domain, steps=4, batch_size=1).optimize(codes, None, PROMPT)
    torch.testing.assert_close(together, apart, atol=1e-4, rtol=1e-4)
    assert not torch.equal(together, codes)


def test_without_an_encoder_its_term_falls_away_and_cannot_be_asked_for(tiny_domain):
    domain = tiny_domain()
    del domain.made["encoder"]
    assert TediGAN(domain).settings["encoder_weight"] == 0
    assert TediGAN(domain, **CARD.settings_for("full")).settings["encoder_weight"] == 0  # as a bench gives them
    with pytest.raises(UserError, match="has no encoder; valid: 0"):
        TediGAN(domain, encoder_weight=1.0)


def test_it_works_inside_a_callers_inference_mode(tiny_domain):
    domain = tiny_domain()
    with torch.inference_mode():
        edit = TediGAN(domain, steps=2).edit(Latents(_codes(), "w+"), PROMPT)
    assert not torch.equal(edit.codes, _codes())


@pytest.mark.parametrize(
    "given",
    [{"steps": 0}, {"batch_size": 0}, {"clip_weight": -1.0}, {"learning_rate": 0.0}, {"clip_preprocessing": "x"}],
)
def test_settings_out_of_range_are_named(tiny_domain, given):
    with pytest.raises(UserError, match=f"{next(iter(given))} of tedigan"):
        TediGAN(tiny_domain(), **given)
