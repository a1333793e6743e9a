"""Training of CLIP2GAN: two players, resumable, no text, frozen networks left alone."""

from __future__ import annotations

import json

import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.models.discriminator import Discriminator
from textedit_methods.clip2gan.codes import regress_codes
from textedit_methods.clip2gan.method import CLIP2GAN
from textedit_methods.clip2gan.training import sample_pairs

SMALL = {
    "batch_size": 4, "steps_per_epoch": 3, "epochs": 3, "num_photos": 0, "learning_rate": 1e-3, "depth": 3,
    "hidden_dim": 0, "code_steps": 5, "rest_rank": 2, "adversarial_start": 0.4, "penalty_every": 2, "ema_decay": 0.5,
}  # fmt: skip
QUIET = {"progress": False, "preview_images": 0, "logger": "csv"}
CHANNELS = {4: 6, 8: 4}


@pytest.fixture
def domain(tiny_domain):
    return _with_discriminator(tiny_domain())


def _with_discriminator(made):
    made.tier_card.source = None
    made.__dict__["inverter"] = made.made["encoder"]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        made.made["generator"].w_mean = torch.randn(16)
        made.made["discriminator"] = Discriminator(8, channels=CHANNELS).eval().requires_grad_(False)
    return made


@pytest.fixture
def fit(tiny_domain):
    """A small training run in a folder; returns the editor."""

    def run(folder, **options):
        editor = CLIP2GAN(_with_discriminator(tiny_domain()), **SMALL)
        editor.fit(folder=folder, **{**QUIET, **options})
        return editor

    return run


def _weights(editor):
    return torch.cat([value.float().flatten() for value in editor.network.state_dict().values()])


def _run_folder(folder):
    return next((folder / "clip2gan").iterdir())


def _curves(folder, column):
    lines = (_run_folder(folder) / "curves" / "metrics.csv").read_text().splitlines()
    position = lines[0].split(",").index(column)
    return [float(line.split(",")[position]) for line in lines[1:] if line.split(",")[position]]


def test_all_terms_take_part_once_they_have_begun(tmp_path, fit):
    fit(tmp_path, preview_images=2)
    state = torch.load(_run_folder(tmp_path) / "last.ckpt", weights_only=True)
    assert state["global_step"] == 9  # a step of the run is one of the mapping network, not of the critic
    assert len(_curves(tmp_path, "validation/reconstruction")) == 3
    for term in ("perceptual", "identity"):
        assert len(_curves(tmp_path, f"validation/{term}")) == 3
    for term in ("adversarial", "diversity"):
        assert len(_curves(tmp_path, f"validation/{term}")) == 1  # the last of three epochs: 0.4 rounded up
    assert (_run_folder(tmp_path) / "pictures" / "epoch-003.png").is_file()
    assert json.loads((_run_folder(tmp_path) / "cost.json").read_text())["steps"] == 9


def test_reconstruction_gets_better(tmp_path, fit):
    fit(tmp_path, epochs=8, adversarial_start=1.0, code_steps=0, learning_rate=3e-3, ema_decay=0.0)
    losses = _curves(tmp_path, "validation/reconstruction")
    assert losses[-1] < 0.97 * losses[0]


def test_the_critic_learns_and_the_domains_discriminator_does_not(tmp_path, domain):
    before = {role: [p.clone() for p in network.parameters()] for role, network in domain.made.items()}
    CLIP2GAN(domain, **SMALL).fit(folder=tmp_path, **QUIET)
    for role, network in domain.made.items():
        assert all(torch.equal(a, b) for a, b in zip(before[role], network.parameters(), strict=True))
        assert all(p.grad is None for p in network.parameters())
    state = torch.load(_run_folder(tmp_path) / "last.ckpt", weights_only=True)["state_dict"]
    assert {name.split(".")[0] for name in state} == {"network", "average", "critic"}
    learnt = state["critic.final_linear.1.weight"]
    assert not torch.equal(learnt, dict(domain.discriminator.named_parameters())["final_linear.1.weight"])


@pytest.mark.parametrize("missing", ["adversarial_weight", "diversity_weight"])
def test_terms_can_be_left_out(tmp_path, fit, missing):
    editor = fit(tmp_path, **{missing: 0.0})
    header = (_run_folder(tmp_path) / "curves" / "metrics.csv").read_text().splitlines()[0]
    assert f"validation/{missing.removesuffix('_weight')}" not in header
    assert "validation/reconstruction" in header
    critic = torch.load(_run_folder(tmp_path) / "last.ckpt", weights_only=True)["state_dict"]["critic.convs.0.0.weight"]
    untouched = torch.equal(critic, editor.domain.discriminator.convs[0][0].weight)
    assert untouched == (missing == "adversarial_weight")


def test_same_seed_same_weights_other_seed_others(tmp_path, fit):
    first, same, other = (fit(tmp_path / str(n), seed=seed) for n, seed in enumerate((1, 1, 2)))
    assert torch.equal(_weights(first), _weights(same))
    assert not torch.equal(_weights(first), _weights(other))


def test_the_last_network_is_kept_and_saved_as_it_is(tmp_path, fit, tiny_domain):
    editor = fit(tmp_path)
    assert editor.network.rest_basis.norm(dim=1).min() > 0
    editor.save(tmp_path / "w.safetensors")
    again = CLIP2GAN(_with_discriminator(tiny_domain()))
    again.load(tmp_path / "w.safetensors")
    assert torch.equal(_weights(again), _weights(editor))  # what is evaluated is what is saved
    last = torch.load(_run_folder(tmp_path) / "last.ckpt", weights_only=True)["state_dict"]
    kept = editor.network.layers[0].weight
    assert torch.allclose(kept, last["average.module.layers.0.weight"], atol=2 * kept.abs().max().item() / 127)


def test_training_reads_no_text_and_no_judge(tmp_path, tiny_domain):
    asked = []

    class Watched(tiny_domain):
        def network(self, role):
            asked.append(role)
            return super().network(role)

        def photos(self, split, n=None, start=0):
            asked.append(split)
            return super().photos(split, n, start)

    domain = _with_discriminator(Watched())
    domain.made["clip"].encode_text = None
    CLIP2GAN(domain, **SMALL).fit(folder=tmp_path, **QUIET)
    assert set(asked) == {"generator", "clip", "identity", "encoder", "discriminator", "train"}


def test_settings_of_the_edit_alone_do_not_start_another_run(tmp_path, fit):
    fit(tmp_path)
    fit(tmp_path, beta=0.9, direction="delta")
    assert len(list((tmp_path / "clip2gan").iterdir())) == 1
    fit(tmp_path, depth=4)
    assert len(list((tmp_path / "clip2gan").iterdir())) == 2


def test_bad_values_are_refused_before_any_work(tmp_path, domain):
    def refused(match, **options):
        with pytest.raises(UserError, match=match):
            CLIP2GAN(domain, **SMALL).fit(folder=tmp_path, **{**QUIET, **options})

    refused("depth", depth=0)
    refused("adversarial_start", adversarial_start=1.5)
    refused("num_photos", num_photos=41)
    refused("learning_rate of clip2gan: -1.0", learning_rate=-1.0)
    refused("ema_decay of clip2gan: 2.0", ema_decay=2.0)
    refused("perceptual_network", perceptual_network="squeeze")
    refused("16-mixed", precision="16-mixed")
    refused("epochs", epoch=3)


def test_samples_are_pairs_of_a_code_and_the_feature_of_its_picture(tmp_path, domain):
    editor = CLIP2GAN(domain, code_samples=70)
    features, codes = sample_pairs(editor, 0, tmp_path)
    again = sample_pairs(editor, 0, tmp_path)
    assert torch.equal(features, again[0]) and torch.equal(codes, again[1])
    pictures = domain.generator.synthesize(codes[68:]).clamp(-1, 1)
    assert torch.allclose(features[68:], domain.clip.encode_image(pictures), atol=1e-5)
    assert not torch.equal(sample_pairs(editor, 1, tmp_path)[1], codes)


def test_the_head_start_may_read_samples_in_the_place_of_photos(tmp_path, fit):
    photos, samples = fit(tmp_path / "a", epochs=1), fit(tmp_path / "b", epochs=1, code_samples=32)
    assert not torch.allclose(_weights(photos), _weights(samples))


def test_regression_to_the_codes_is_repeatable_and_fits(domain):
    from textedit_methods.clip2gan.network import ClipMapping

    torch.manual_seed(0)
    features, codes = torch.randn(20, 16), torch.randn(20, 4, 16)

    def fitted(steps):
        torch.manual_seed(1)
        network = ClipMapping(16, 4, 16, depth=3)
        return network, regress_codes(network, features, codes, steps, seed=0)

    (first, few), (second, _) = fitted(10), fitted(10)
    assert torch.equal(first.layers[0].weight, second.layers[0].weight)
    assert fitted(150)[1] < 0.7 * few


def test_the_diversity_term_is_not_zero_where_generation_has_no_noise(tmp_path, fit):
    # Generation's noise was once the term's too: with "none" the term and its gradient were zero, unnoticed.
    fit(tmp_path, noise="none")
    assert min(_curves(tmp_path, "validation/diversity")) > 0


@pytest.mark.parametrize(
    ("given", "named"), [({"diversity_noise": "none"}, "diversity_noise"), ({"sigma": 0.0}, "sigma: 0 is")]
)
def test_a_training_without_noise_is_refused(tmp_path, fit, given, named):
    with pytest.raises(UserError, match=named):
        fit(tmp_path, **given)
