"""FFCLIP as an editor: strengths, batches, seeds, saving, and training that survives being killed."""

from __future__ import annotations

import csv
import json

import pytest
import torch
from PIL import Image

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_methods.ffclip.method import FFCLIP
from textedit_methods.ffclip.network import DynamicMapper

BLOND = Prompt("a face with blond hair", "a face", "blond hair")
SMALL = {"batch_size": 4, "steps_per_epoch": 3, "epochs": 3, "num_codes": 0, "learning_rate": 1e-3}
QUIET = {"progress": False, "preview_images": 0, "logger": "csv"}


@pytest.fixture
def domain(tiny_domain):
    return tiny_domain()


@pytest.fixture
def editor(domain):
    """With random weights."""
    torch.manual_seed(5)
    made = FFCLIP(domain)
    made._network = DynamicMapper(4, 16).requires_grad_(False)
    return made


@pytest.fixture
def fit(tiny_domain):
    """A small training run in a folder; returns the editor."""

    def run(folder, **options):
        editor = FFCLIP(tiny_domain(), **SMALL)
        editor.fit(folder=folder, **{**QUIET, **options})
        return editor

    return run


def _weights(editor):
    return torch.cat([value.float().flatten() for value in editor.network.state_dict().values()])


def _run_folder(folder):
    return next((folder / "ffclip").iterdir())


@pytest.mark.parametrize("with_w_plus", [True, False])
def test_strength_zero_keeps_an_earlier_edit_in_style_space(domain, editor, with_w_plus):
    latents = domain.invert(domain.photos("train", 3))
    styles = torch.ones(len(latents), 7)
    edited = latents.with_codes(styles, "s") if with_w_plus else Latents(styles, "s", ids=latents.ids)
    assert editor.edit(edited, BLOND, 0.0) is edited
    if with_w_plus:
        zero, one = editor.edit_sweep(edited, BLOND, [0, 1])
        assert zero is edited and one.space == "w+"


def test_weights_of_zero_are_refused_before_the_training(domain, tmp_path):
    none = {f"{name}_weight": 0.0 for name in ("clip", "identity", "latent", "background", "embedding", "pixel")}
    with pytest.raises(UserError, match="there is nothing to train"):
        FFCLIP(domain, **SMALL, **none).fit(folder=tmp_path, **QUIET)
    assert not (tmp_path / "ffclip").exists()


def test_strength_scales_one_offset_and_zero_is_the_identity(domain, editor):
    latents = domain.invert(domain.photos("train", 5))
    zero, half, whole, twice = editor.edit_sweep(latents, BLOND, [0, 0.5, 1, 2])
    assert torch.equal(zero.codes, latents.codes)
    step = whole.codes - latents.codes
    assert step.abs().mean() > 0.01
    assert torch.allclose(half.codes, latents.codes + 0.5 * step, atol=1e-6)
    assert torch.allclose(twice.codes, latents.codes + 2 * step, atol=1e-6)
    assert torch.equal(editor.edit(latents, BLOND, 2.0).codes, twice.codes)
    assert torch.equal(editor.edit(latents, BLOND, 0).codes, latents.codes)
    assert whole.ids == latents.ids and torch.equal(whole.w_plus, latents.codes)


def test_one_by_one_equals_the_batch_and_repeats_are_equal(domain, editor):
    latents = domain.invert(domain.photos("train", 20))
    together = editor.edit(latents, BLOND).codes
    alone = torch.cat([editor.edit(latents[i : i + 1], BLOND).codes for i in range(20)])
    assert torch.allclose(together, alone, atol=1e-6, rtol=0)
    assert torch.equal(together, editor.edit(latents, BLOND).codes)


def test_text_matters_and_is_read_unnormalised_from_the_phrase(domain, editor):
    latents = domain.invert(domain.photos("train", 2))
    assert not torch.allclose(editor.edit(latents, BLOND).codes, editor.edit(latents, Prompt("glasses")).codes)
    same_phrase = Prompt("anything", "else", "blond hair")
    assert torch.equal(editor.edit(latents, BLOND).codes, editor.edit(latents, same_phrase).codes)
    assert torch.equal(editor.embed_text("blond hair"), domain.clip.encode_text(["blond hair"])[0])


def test_codes_of_another_generator_are_refused(editor):
    with pytest.raises(UserError, match="4 rows and width 16"):
        editor.edit(Latents(torch.zeros(1, 5, 16), "w+"), BLOND)


def test_no_weights_says_how_to_train(domain):
    with pytest.raises(UserError, match="textedit-bench train"):
        FFCLIP(domain).edit(domain.invert(domain.photos("train", 1)), BLOND)


def test_save_and_load(tmp_path, domain, editor):
    latents = domain.invert(domain.photos("train", 3))
    editor.save(tmp_path / "a.safetensors")
    other = FFCLIP(domain)
    other.load(tmp_path / "a.safetensors")
    assert torch.equal(other.edit(latents, BLOND).codes, editor.edit(latents, BLOND).codes)


def test_weights_lie_beside_the_method_named_by_data_set_and_tier(domain):
    path = FFCLIP(domain).weights_path()
    assert path.parts[-4:] == ("textedit_methods", "ffclip", "weights", "tiny-mini.safetensors")


def test_unknown_settings_and_options_name_the_choices(domain, tmp_path):
    with pytest.raises(UserError, match="clip_weight"):
        FFCLIP(domain, clip_weigth=1.0)
    with pytest.raises(UserError, match="epochs"):
        FFCLIP(domain).fit(epoch=3, folder=tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epochs": -1},
        {"batch_size": 0},
        {"num_codes": -5},
        {"steps_per_epoch": -2},
        {"warmup_steps": -1},
        {"learning_rate": -0.1},
        {"gradient_clip": -1.0},
        {"ema_decay": 1.5},
    ],
)
def test_values_out_of_range_are_refused_before_any_work(domain, tmp_path, wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(UserError, match=f"{name} of ffclip: {value} is out of range; valid: "):
        FFCLIP(domain).fit(folder=tmp_path, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_devices_this_machine_lacks_are_refused_and_the_earlier_run_stays(tmp_path, fit):
    fit(tmp_path)
    kept = sorted(_run_folder(tmp_path).rglob("*"))
    with pytest.raises(UserError, match=r"devices \[0, 7\].* cannot be used on cpu"):
        fit(tmp_path, devices="0,7", resume=False)
    assert sorted(_run_folder(tmp_path).rglob("*")) == kept


def test_training_lowers_the_loss_and_leaves_its_record(tmp_path, fit, tiny_domain):
    editor = fit(tmp_path, epochs=8, preview_images=2)
    folder = _run_folder(tmp_path)
    with (folder / "curves" / "metrics.csv").open() as file:
        losses = [float(row["validation/loss"]) for row in csv.DictReader(file) if row["validation/loss"]]
    assert len(losses) == 8 and min(losses[4:]) < losses[0]
    cost = json.loads((folder / "cost.json").read_text())
    assert cost["steps"] == 24 and cost["seconds"] > 0 and cost["rss_bytes"] > 1e7
    with Image.open(folder / "pictures" / "epoch-008.png") as picture:
        assert picture.width > picture.height > 100  # inversion and three phrases, two photos
    assert json.loads((folder / "settings.json").read_text())["phrases"] == {
        "blond hair": 1,
        "glasses": 1,
        "smiling": 1,
    }
    editor.save(tmp_path / "w.safetensors")
    again = FFCLIP(tiny_domain())
    again.load(tmp_path / "w.safetensors")
    assert torch.equal(_weights(again), _weights(editor))  # half precision on disk loses nothing after fit


def test_same_seed_same_weights_other_seed_others(tmp_path, fit):
    first, same, other = (fit(tmp_path / str(n), seed=seed) for n, seed in enumerate((1, 1, 2)))
    assert torch.equal(_weights(first), _weights(same))
    assert not torch.equal(_weights(first), _weights(other))


def test_frozen_networks_stay_frozen_and_out_of_the_checkpoint(tmp_path, tiny_domain):
    domain = tiny_domain()
    before = {role: [p.clone() for p in network.parameters()] for role, network in domain.made.items()}
    FFCLIP(domain, **SMALL).fit(folder=tmp_path, **QUIET)
    for role, network in domain.made.items():
        assert all(torch.equal(a, b) for a, b in zip(before[role], network.parameters(), strict=True))
    state = torch.load(_run_folder(tmp_path) / "last.ckpt", weights_only=True)["state_dict"]
    assert state and all(name.startswith("network.att_mapper.") for name in state)


def test_other_settings_use_another_folder(tmp_path, fit):
    fit(tmp_path)
    fit(tmp_path, latent_weight=0.5)
    assert len(list((tmp_path / "ffclip").iterdir())) == 2


def test_a_clip_of_another_width_is_refused(tmp_path, tiny_domain):
    domain = tiny_domain()
    domain.made["clip"] = tiny_domain(dim=8).made["clip"]
    with pytest.raises(UserError, match="8 and 16"):
        FFCLIP(domain, **SMALL).fit(folder=tmp_path, **QUIET)


def test_training_reads_no_ground_truth(tmp_path, tiny_domain):
    """Only the guiding networks and the training photos are touched."""
    asked = []

    class Watched(tiny_domain):
        def network(self, role):
            asked.append(role)
            return super().network(role)

        def photos(self, split, n=None, start=0):
            asked.append(split)
            return super().photos(split, n, start)

    FFCLIP(Watched(), **SMALL).fit(folder=tmp_path, **QUIET)
    assert set(asked) == {"generator", "clip", "identity", "encoder", "train"}


def test_seed_of_the_caller_is_left_alone(tmp_path, fit):
    torch.manual_seed(9)
    wanted = torch.randn(3)
    torch.manual_seed(9)
    fit(tmp_path)
    assert torch.equal(torch.randn(3), wanted)
