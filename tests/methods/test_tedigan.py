"""TediGAN's optimisation: the loss by hand, where it goes, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch

from textedit_bench import Latents, Prompt
from textedit_bench.errors import UserError
from textedit_methods.tedigan.card import Settings
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
