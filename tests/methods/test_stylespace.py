"""StyleSpace as an editor: which channel a text moves and which way, names, the authors' folder, strengths, errors."""

from __future__ import annotations

import logging
import pickle

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.files import HOME
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.prompt import Prompt
from textedit_methods.stylespace.method import StyleSpace

GLASSES = Prompt("a face with glasses", "a face", "glasses")
BLOND = Prompt("a face with blond hair", None, "blond hair")
QUICK = {"samples": 128, "share": 0.094}
TORGB = [*range(6, 12), *range(23, 28)]


@pytest.fixture
def domain(tiny_domain, tmp_path, monkeypatch):
    """The tiny domain with a real generator of 8 pixels, and a home of its own for the samples."""
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    made = tiny_domain()
    torch.manual_seed(2)
    generator = Generator(8, 16, 16, n_mlp=2, channels={4: 6, 8: 5})
    made.made["generator"] = generator.eval().requires_grad_(False)
    return made


@pytest.fixture
def latents():
    return Latents(torch.randn(3, 4, 16, generator=torch.Generator().manual_seed(4)), "w+", ids=("a", "b", "c"))


def _by_hand(domain, prompt, count, positives):
    """The paper's recipe word for word: position and sign of the best channel, and its deviation."""
    z = torch.randn(count, 16, generator=torch.Generator().manual_seed(0))  # in chunks of 32 from one stream
    codes = domain.generator.map(z)
    styles = domain.generator.to_style(codes).double().numpy()
    seen = F.normalize(domain.clip.encode_image(domain.generator.synthesize(codes)), dim=1)
    texts = [text for text in (prompt.target, prompt.source) if text]
    cosines = seen @ F.normalize(domain.clip.encode_text(texts), dim=1).T
    liking = cosines[:, 0] - (cosines[:, 1] if len(texts) == 2 else 0)
    chosen = styles[liking.topk(positives).indices.numpy()]
    normal = (chosen - styles.mean(0)) / styles.std(0)
    score = np.abs(normal.mean(0)) / normal.std(0)
    score[TORGB] = -1
    best = int(score.argmax())
    return best, float(np.sign(normal.mean(0)[best])), float(styles.std(0)[best])


@pytest.mark.parametrize("prompt", [GLASSES, BLOND], ids=["two texts", "one text"])
def test_the_text_moves_the_channel_in_which_its_examples_stand_out(domain, latents, prompt):
    editor = StyleSpace(domain, **QUICK, alpha=3.0)
    best, sign, std = _by_hand(domain, prompt, 128, 12)
    step = editor.edit(latents, prompt).codes - domain.generator.to_style(latents)
    assert torch.count_nonzero(step, dim=1).tolist() == [1, 1, 1]
    torch.testing.assert_close(step[:, best], torch.full((3,), sign * 3.0 * std), rtol=1e-4, atol=1e-5)


def test_strengths_multiply_the_step_and_0_gives_the_codes_back(domain, latents):
    editor = StyleSpace(domain, **QUICK)
    none, half, whole, back = editor.edit_sweep(latents, GLASSES, [0.0, 0.5, 1.0, -1.0])
    assert none is latents
    styles = domain.generator.to_style(latents)
    torch.testing.assert_close(2 * (half.codes - styles), whole.codes - styles)
    torch.testing.assert_close(back.codes - styles, styles - whole.codes)
    assert whole.space == "s" and torch.equal(whole.w_plus, latents.codes)


@pytest.mark.parametrize("count", [2, 5])
def test_several_channels_share_the_step(domain, latents, count):
    one, several = StyleSpace(domain, **QUICK), StyleSpace(domain, **QUICK, channels=count)
    first, offset = one.offset(latents, GLASSES)[0], several.offset(latents, GLASSES)[0]
    deviations = offset / several.channels.std
    moved = deviations.nonzero()[:, 0].tolist()
    assert len(moved) == count and not set(moved) & set(TORGB)
    assert deviations.norm() == pytest.approx(10, rel=1e-5)
    (best,) = first.nonzero()[:, 0].tolist()
    assert offset[best] * count**0.5 == pytest.approx(float(first[best]), rel=1e-5)


def test_torgb_never_moves_by_text(domain, latents):
    editor = StyleSpace(domain, **QUICK, channels=100)
    moved = editor.offset(latents, GLASSES)[0].nonzero()[:, 0].tolist()
    assert moved == [at for at in range(28) if at not in TORGB]


def test_samples_are_drawn_once_per_generator(domain, latents, monkeypatch, caplog):
    wanted = StyleSpace(domain, **QUICK).edit(latents, GLASSES)
    monkeypatch.setattr("textedit_bench.training.samples.draw", lambda *_: pytest.fail("drawn again"))
    caplog.set_level(logging.INFO)
    assert torch.equal(StyleSpace(domain, **QUICK).edit(latents, GLASSES).codes, wanted.codes)
    assert "'glasses' moves " in caplog.text


def test_channels_are_named_by_layer_and_number(domain, latents):
    editor = StyleSpace(domain, **QUICK, named="0:3 3:4", alpha=-2.0)
    offset = editor.offset(latents, GLASSES)[0]
    assert offset.nonzero()[:, 0].tolist() == [3, 22]
    torch.testing.assert_close(offset[[3, 22]], -(2**0.5) * editor.channels.std[[3, 22]])
    assert torch.equal(offset, editor.offset(latents, BLOND)[0])


def test_published_names_hold_for_the_published_network_alone(domain, latents):
    with pytest.raises(UserError, match="published names are for ffhq, car, tier full"):
        StyleSpace(domain, **QUICK, named="smiling").prepare(GLASSES)
    domain.card.name, domain.tier = "ffhq", "full"
    with pytest.raises(UserError, match=r"'smilling'.*Did you mean 'smiling'"):
        StyleSpace(domain, **QUICK, named="smilling").prepare(GLASSES)
    assert StyleSpace(domain, named="glasses")._named("glasses") == ((3, 288),)  # the first of four, each by itself
    with pytest.raises(UserError, match="style layer 6: valid: 0 to 4"):  # the tiny network has five
        StyleSpace(domain, **QUICK, named="smiling").prepare(GLASSES)


# -- the authors' folder ---------------------------------------------------------------------------------------------
@pytest.fixture
def official(tmp_path, domain):
    """The authors' files for the tiny generator: region 2 is local to channel 4 of layer 3 and to toRGB's."""
    widths = [layer.channels for layer in domain.generator.style_layout]
    folder = tmp_path / "official"
    folder.mkdir()
    rng = np.random.default_rng(1)
    layers = [[rng.random(width).astype(np.float32) + 0.5 for width in widths] for _ in range(2)]
    (folder / "S_mean_std").write_bytes(pickle.dumps(layers))
    np.save(folder / "W.npy", rng.standard_normal((40, 16)).astype(np.float32))
    rows = rng.standard_normal((40, 2))
    (folder / "attribute").write_text("bangs,smiling\n" + "\n".join(f"{a},{b}" for a, b in rows) + "\n")
    regions = [np.zeros((width, 3)) for width in widths]
    regions[3][4, 2], regions[1][:, 2] = 0.9, 1.0
    (folder / "semantic_top_32").write_bytes(pickle.dumps(regions))
    return folder, np.concatenate(layers[1])


def test_deviations_come_from_the_authors_file(domain, latents, official):
    folder, std = official
    editor = StyleSpace(domain, named="0:3", official=str(folder), alpha=2.0)
    assert editor.offset(latents, GLASSES)[0, 3] == pytest.approx(2 * std[3])
    assert [file.name for file in editor.released_files()] == ["S_mean_std"]
    assert editor.released_weights() is None


def test_a_region_leaves_its_local_channels(domain, latents, official):
    editor = StyleSpace(domain, **QUICK, official=str(official[0]), region=2)
    assert editor.offset(latents, GLASSES)[0].nonzero()[:, 0].tolist() == [22]
    assert [file.name for file in editor.released_files()] == ["semantic_top_32", "S_mean_std"]
    for region, said in ((3, "3; valid: 0 to 2"), (0, "no channel is local to 0")):
        with pytest.raises(UserError, match=said):
            StyleSpace(domain, **QUICK, official=str(official[0]), region=region).prepare(GLASSES)


def test_a_classifiers_examples_take_the_place_of_clips(domain, latents, official, monkeypatch):
    monkeypatch.setattr("textedit_methods.stylespace.released.EXAMPLES", 10)
    editor = StyleSpace(domain, official=str(official[0]), label="smiling")
    monkeypatch.setattr("textedit_bench.training.samples.draw", lambda *_: pytest.fail("no sample is needed"))
    offset = editor.offset(latents, GLASSES)
    assert torch.equal(offset, editor.offset(latents, BLOND)) and torch.count_nonzero(offset) == 1
    assert editor.examples(GLASSES).shape == (10, 28)
    assert [file.name for file in editor.released_files()] == ["W.npy", "attribute", "S_mean_std"]
    np.save(official[0] / "W.npy", np.zeros((40, 8), np.float32))
    with pytest.raises(UserError, match="width 8 are another generator's"):
        StyleSpace(domain, official=str(official[0]), label="smiling").prepare(GLASSES)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"label": "smiling"}, "official of stylespace: label and region"),
        ({"region": 1}, "official of stylespace: label and region"),
        ({"channels": 0}, "setting channels of stylespace"),
        ({"share": 0.6}, "setting share of stylespace"),
    ],
)
def test_settings_that_contradict_are_named(domain, given, said):
    with pytest.raises(UserError, match=said):
        StyleSpace(domain, **given)


def test_a_folder_without_the_files_is_refused(domain, tmp_path):
    editor = StyleSpace(domain, official=str(tmp_path / "none"), label="smiling")
    with pytest.raises(UserError, match=r"lacks W\.npy, attribute"):
        editor.released_files()
    with pytest.raises(UserError, match="lacks S_mean_std"):
        StyleSpace(domain, official=str(tmp_path)).released_files()
