"""ManiGAN as an editor: its photo is strength 0, its noise belongs to the photo, its files are named."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from textedit_bench import load_domain, load_method
from textedit_bench.errors import UserError
from textedit_bench.models.damsm_image import ImageEncoder
from textedit_bench.models.storage import save_network
from textedit_bench.prompt import Prompt
from textedit_bench.registry import new_editor
from textedit_bench.testing import TOYS, write_toy_dataset
from textedit_bench.testing.miniature import miniature_settings
from textedit_methods.manigan.network import Correction

BRIGHT, DARK = Prompt("a", phrase="bright top"), Prompt("a", phrase="dark top")


@pytest.fixture(scope="module")
def domain(tmp_path_factory):
    return load_domain(str(write_toy_dataset(tmp_path_factory.mktemp("toy"), TOYS[0])))


@pytest.fixture(scope="module")
def small(domain, tmp_path_factory):
    return miniature_settings(load_method("manigan").info, domain, tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def editor(domain, small):
    return new_editor("manigan", domain, **small)


@pytest.fixture(scope="module")
def latents(domain):
    return domain.invert(domain.photos("evaluation", 2))


def test_strength_mixes_photo_and_edit_in_pixels(editor, latents):
    nothing, half, whole = editor.edit_sweep(latents, BRIGHT, [0.0, 0.5, 1.0])
    assert torch.equal(nothing, latents.images)
    torch.testing.assert_close(half, (nothing + whole) / 2)
    torch.testing.assert_close(whole, editor.draw(latents.images, BRIGHT, latents.ids))
    assert not torch.allclose(whole, editor.edit(latents, DARK))


def test_the_noise_belongs_to_the_photo(editor, latents):
    twins = replace(latents, images=latents.images[:1].expand(2, -1, -1, -1), ids=("a", "b"))
    first, second = editor.edit(twins, BRIGHT)
    assert not torch.allclose(first, second)
    swapped = editor.edit(replace(twins, ids=("b", "a")), BRIGHT)
    torch.testing.assert_close(swapped, torch.stack([second, first]), rtol=0, atol=1e-5)


def test_without_photos_the_codes_own_pictures_are_edited(editor, domain, latents):
    bare = replace(latents, images=None)
    shown = domain.generator.synthesize(latents.codes)
    torch.testing.assert_close(editor.edit(bare, BRIGHT, 0.0), shown.clamp(-1, 1))
    torch.testing.assert_close(editor.edit(bare, BRIGHT), editor.draw(shown, BRIGHT, latents.ids).clamp(-1, 1))


def test_the_other_enlarging_gives_another_picture(editor, domain, small, latents):
    other = new_editor("manigan", domain, **small, enlarging="sizes")
    assert not torch.equal(other.edit(latents, BRIGHT), editor.edit(latents, BRIGHT))


@pytest.mark.parametrize(
    ("part", "other", "said"),
    [
        ("correction", Correction(5, 8, 1), "5 features and words of width 8; .* needs 1 and 8"),
        ("correction", Correction(1, 6, 1), "1 features and words of width 6; .* needs 1 and 8"),
        ("image_encoder", ImageEncoder(6), "regions of width 6; .* needs 8"),
    ],
)
def test_files_of_other_sizes_are_named(domain, small, latents, tmp_path, part, other, said):
    path = save_network(other, tmp_path / "other.safetensors", "other")
    with pytest.raises(UserError, match=said):
        new_editor("manigan", domain, **{**small, part: str(path)}).edit(latents, BRIGHT)


def test_a_module_in_the_place_of_another_is_named(domain, small, latents):
    wrong = new_editor("manigan", domain, **{**small, "correction": small["generator"]})
    with pytest.raises(UserError, match="a MainModule; correction of manigan is a Correction"):
        wrong.edit(latents, BRIGHT)


def test_without_files_every_prompt_is_refused(domain):
    refusal = new_editor("manigan", domain).refusal(BRIGHT)
    assert refusal is not None and "missing: generator, correction, image_encoder, vgg, text_encoder" in refusal
