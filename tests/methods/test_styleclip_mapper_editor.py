"""The mapper as an editor: strengths, batches, one file per phrase, and training on demand."""

from __future__ import annotations

import csv
import json
import logging

import pytest
import torch
from PIL import Image

from textedit_bench.bench.prompts import plan_prompts
from textedit_bench.devices import STANDARD_THREADS, fixed_threads
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.experiments.catalogue import load_experiment
from textedit_bench.latent_mapper import training
from textedit_bench.latent_mapper.network import LevelsMapper, SingleMapper, StyleMapper
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.per_prompt import normalised, stem
from textedit_bench.prompt import Prompt
from textedit_bench.registry import load_dataset
from textedit_bench.training import code_module
from textedit_methods.styleclip_mapper.method import StyleCLIPMapper

BLOND = Prompt("a face with blond hair", "a face", "blond hair")
GLASSES = Prompt("a face with glasses", "a face", "glasses")
SMALL = {"batch_size": 2, "steps": 6, "steps_per_validation": 2, "validation_codes": 4, "num_codes": 0}
QUIET = {"progress": False, "preview_images": 0, "logger": "csv"}


@pytest.fixture
def domain(tiny_domain):
    return tiny_domain()


@pytest.fixture
def style_domain(tiny_domain):
    """With a real generator of 8 pixels, so that there is a style space."""
    made = tiny_domain()
    torch.manual_seed(2)
    made.made["generator"] = Generator(8, 16, 16, n_mlp=2, channels={4: 6, 8: 5}).eval().requires_grad_(False)
    return made


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """No test reads or writes the committed mappers or the user's data folder."""
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(StyleCLIPMapper, "weights_path", lambda _: tmp_path / "committed")


@pytest.fixture
def editor(domain):
    """With random mappers for two phrases."""
    made = StyleCLIPMapper(domain)
    torch.manual_seed(5)
    made._networks = {phrase: SingleMapper(16).requires_grad_(False) for phrase in ("blond hair", "glasses")}
    return made


@pytest.fixture
def fit(tiny_domain):
    def run(folder, prompts=(BLOND, GLASSES), **options):
        made = StyleCLIPMapper(tiny_domain(), **SMALL)
        made.fit(list(prompts), folder=folder, **{**QUIET, **options})
        return made

    return run


def _weights(editor, phrase="blond hair"):
    return torch.cat([value.flatten() for value in editor._networks[phrase].state_dict().values()])


def _run_folder(folder):
    return next((folder / "styleclip-mapper").iterdir())


def test_strength_scales_a_tenth_of_the_output_and_zero_is_the_identity(domain, editor):
    latents = domain.invert(domain.photos("train", 5))
    zero, half, whole = editor.edit_sweep(latents, BLOND, [0, 0.5, 1])
    assert torch.equal(zero.codes, latents.codes)
    step = 0.1 * editor._networks["blond hair"](latents.codes)
    assert torch.allclose(whole.codes, latents.codes + step)
    assert torch.allclose(half.codes, latents.codes + 0.5 * step)
    assert whole.ids == latents.ids and torch.equal(whole.w_plus, latents.codes)
    assert not torch.allclose(editor.edit(latents, GLASSES).codes, whole.codes)
    assert torch.equal(editor.edit(latents, Prompt("x", phrase="Blond  HAIR")).codes, whole.codes)


def test_one_by_one_equals_the_batch(domain, editor):
    latents = domain.invert(domain.photos("train", 8))
    together = editor.edit(latents, BLOND).codes
    alone = torch.cat([editor.edit(latents[i : i + 1], BLOND).codes for i in range(8)])
    assert torch.allclose(together, alone, atol=1e-6, rtol=0)


def test_style_mappers_edit_styles_and_spare_torgb(style_domain):
    made = StyleCLIPMapper(style_domain, mapper="style")
    layout = style_domain.generator.style_layout
    widths = [entry.channels for entry in layout]
    made._networks["blond hair"] = StyleMapper(widths, [i for i, entry in enumerate(layout) if not entry.is_rgb])
    latents = style_domain.invert(style_domain.photos("train", 2))
    zero, edited = made.edit_sweep(latents, BLOND, [0, 1])
    before = style_domain.generator.to_style(latents.codes)
    assert zero.space == "w+" and edited.space == "s" and torch.equal(edited.w_plus, latents.codes)
    for entry, old, new in zip(layout, before.split(widths, 1), edited.codes.split(widths, 1), strict=True):
        assert torch.equal(old, new) == entry.is_rgb


def test_save_and_load_one_file_or_a_folder(tmp_path, domain, editor):
    latents = domain.invert(domain.photos("train", 3))
    with pytest.raises(UserError, match="one network"):
        editor.save(tmp_path / "a.safetensors")
    editor.save(tmp_path / "all")
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == [
        "blond-hair.safetensors",
        "glasses.safetensors",
    ]
    for source in ("all", "all/blond-hair.safetensors"):
        other = StyleCLIPMapper(domain)
        other.load(tmp_path / source)
        assert torch.equal(other.edit(latents, BLOND).codes, editor.edit(latents, BLOND).codes)


def test_a_released_mapper_serves_every_prompt(tmp_path, domain):
    mapper = SingleMapper(16)
    state = {f"mapper.{name}": value for name, value in mapper.state_dict().items()}
    torch.save({"state_dict": state, "opts": {}}, tmp_path / "a.pt")
    made = StyleCLIPMapper(domain)
    made.load(tmp_path / "a.pt")
    latents = domain.invert(domain.photos("train", 2))
    for prompt in (BLOND, GLASSES):
        assert torch.allclose(made.edit(latents, prompt).codes, latents.codes + 0.1 * mapper(latents.codes))


def test_a_mapper_of_another_generator_is_refused(tmp_path, domain):
    torch.save(LevelsMapper(12).state_dict(), tmp_path / "a.pt")
    with pytest.raises(UserError, match="width 12; tiny has 16"):
        StyleCLIPMapper(domain).load(tmp_path / "a.pt")
    torch.save(StyleMapper([4, 4], [0]).state_dict(), tmp_path / "b.pt")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"mapper": "levles"}, "levels"),
        ({"optimizer": "sgd"}, "ranger"),
        ({"steps": 0}, "steps"),
        ({"num_codes": -5}, "num_codes"),
        ({"learning_rate": -0.1}, "learning_rate"),
        ({"mapper": "levels", "coarse": False, "medium": False, "fine": False}, "all off"),
        ({"clip_weigth": 1.0}, "clip_weight"),
        ({"clip_weight": 0.0}, "clip_weight"),
    ],
)
def test_settings_that_mean_nothing_are_refused(domain, settings, message):
    with pytest.raises(UserError, match=message):
        StyleCLIPMapper(domain, **settings)


def test_no_prompts_and_unknown_options_are_refused(domain, tmp_path):
    with pytest.raises(UserError, match="prompts"):
        StyleCLIPMapper(domain, **SMALL).fit([], folder=tmp_path)
    with pytest.raises(UserError, match="prompts"):
        StyleCLIPMapper(domain, **SMALL).fit(folder=tmp_path)  # the card of this domain has no evaluation prompt
    with pytest.raises(UserError, match="steps"):
        StyleCLIPMapper(domain).fit([BLOND], step=3, folder=tmp_path)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"mapper": "levels", "fine": False, "optimizer": "adam", "learning_rate": 2.0, "final_rate": 0.1},
        {"mapper": "levels", "normalise": "channels", "identity_weight": 0.0},
    ],
)
def test_training_lowers_the_loss_and_leaves_its_record(tmp_path, fit, settings):
    made = fit(
        tmp_path, **{"steps": 24, "steps_per_validation": 6, "preview_images": 2, "learning_rate": 1.0, **settings}
    )
    folder = _run_folder(tmp_path)
    with (folder / "curves" / "metrics.csv").open() as file:
        losses = [float(row["validation/loss"]) for row in csv.DictReader(file) if row["validation/loss"]]
    assert len(losses) == 4 and min(losses[1:]) < losses[0]
    cost = json.loads((folder / "cost.json").read_text())
    assert cost["steps"] == 24 and cost["seconds"] > 0
    assert Image.open(folder / "pictures" / "epoch-001.png").size[0] == 3 * 96
    assert set(made._networks) == {"blond hair", "glasses"}


def test_style_mappers_train(tmp_path, style_domain):
    made = StyleCLIPMapper(style_domain, **{**SMALL, "mapper": "style"})
    made.fit([BLOND], folder=tmp_path, **QUIET)
    assert isinstance(made._networks["blond hair"], StyleMapper)


def test_a_mapper_learns_the_same_alone_and_in_company(tmp_path, fit):
    """The loss is a sum over mappers: company changes nothing, up to the order of additions."""
    exact = {"stored_as": "float32", "optimizer": "adam"}
    alone = fit(tmp_path / "alone", prompts=[GLASSES], **exact)
    together = fit(tmp_path / "together", **exact)
    apart = fit(tmp_path / "apart", prompts_at_once=1, **exact)
    assert torch.equal(_weights(alone, "glasses"), _weights(apart, "glasses"))
    torch.manual_seed(0)
    first = torch.cat([value.flatten() for value in SingleMapper(16).state_dict().values()])
    learnt = _weights(alone, "glasses") - first
    assert (_weights(together, "glasses") - first - learnt).norm() < 0.02 * learnt.norm()
    assert (_weights(together) - first - learnt).norm() > 0.2 * learnt.norm()


def test_frozen_networks_stay_frozen_and_out_of_the_checkpoint(tmp_path, domain):
    before = {role: [p.clone() for p in network.parameters()] for role, network in domain.made.items()}
    StyleCLIPMapper(domain, **SMALL).fit([BLOND], folder=tmp_path, **QUIET)
    for role, network in domain.made.items():
        assert all(torch.equal(a, b) for a, b in zip(before[role], network.parameters(), strict=True))
    state = torch.load(_run_folder(tmp_path) / "last.ckpt", weights_only=True)["state_dict"]
    assert len(state) == 8 and all(name.startswith("network.0.mapping.mapping.") for name in state)


def test_training_reads_no_ground_truth(tmp_path, tiny_domain):
    asked = []

    class Watched(tiny_domain):
        def network(self, role):
            asked.append(role)
            return super().network(role)

        def photos(self, split, n=None, start=0):
            asked.append(split)
            return super().photos(split, n, start)

    StyleCLIPMapper(Watched(), **SMALL).fit([BLOND], folder=tmp_path, **QUIET)
    assert set(asked) == {"generator", "clip", "identity", "encoder", "train"}


def test_a_file_for_another_phrase_is_told(domain, editor, tmp_path, caplog):
    latents = domain.invert(domain.photos("train", 1))
    one = StyleCLIPMapper(domain)
    one._networks["blond hair"] = editor._networks["blond hair"]
    one.save(tmp_path / "blond.safetensors")
    given = StyleCLIPMapper(domain)
    given.load(tmp_path / "blond.safetensors")
    given._networks["glasses"] = editor._networks["glasses"]  # as where one lies in the folder of the weights
    with caplog.at_level(logging.WARNING):
        given.edit(latents, BLOND)
        assert not caplog.text
        given.edit(latents, GLASSES)
    assert "the given weights are for 'blond hair', not for 'glasses'" in caplog.text


def test_an_unknown_phrase_is_trained_once_and_kept(tmp_path, domain, caplog, monkeypatch):
    monkeypatch.chdir(tmp_path)
    latents = domain.invert(domain.photos("train", 2))
    with caplog.at_level(logging.WARNING), torch.no_grad():
        first = StyleCLIPMapper(domain, **SMALL).edit(latents, BLOND)
    assert "no network for 'blond hair'" in caplog.text
    kept = list((tmp_path / "cache").rglob("blond-hair.safetensors"))
    assert len(kept) == 1 and not (tmp_path / "checkpoints").exists()
    monkeypatch.setattr(training.MapperTraining, "training_step", None)  # would fail if it trained again
    assert torch.equal(StyleCLIPMapper(domain, **SMALL).edit(latents, BLOND).codes, first.codes)


@pytest.mark.parametrize("threads", [1, 3])
def test_a_network_trained_on_demand_does_not_depend_on_the_benchs_threads(domain, monkeypatch, threads):
    seen = []
    step = training.MapperTraining.training_step

    def spied(*args, **kwargs):
        seen.append(torch.get_num_threads())
        return step(*args, **kwargs)

    monkeypatch.setattr(training.MapperTraining, "training_step", spied)
    with fixed_threads(threads):
        StyleCLIPMapper(domain, **SMALL).network_for(BLOND)
        assert torch.get_num_threads() == threads
    assert set(seen) == {STANDARD_THREADS}


@pytest.fixture
def described(monkeypatch):
    """The number of unedited images of every time that they are described."""
    calls = []
    describe = code_module.describe_unedited

    def counted(domain, codes, *rest):
        calls.append(len(codes))
        return describe(domain, codes, *rest)

    monkeypatch.setattr(code_module, "describe_unedited", counted)
    return calls


def test_trainings_on_the_same_codes_describe_the_unedited_images_once(tmp_path, fit, described):
    fit(tmp_path / "shared", [BLOND])
    after = fit(tmp_path / "shared", [GLASSES])
    assert len(described) == 1
    alone = fit(tmp_path / "alone", [GLASSES])
    assert len(described) == 2
    assert torch.equal(_weights(after, "glasses"), _weights(alone, "glasses"))


def test_other_codes_settings_or_threads_describe_them_again(tmp_path, fit, described):
    fit(tmp_path, [BLOND])
    fit(tmp_path, [BLOND], num_codes=12, resume=False)
    fit(tmp_path, [GLASSES], clip_preprocessing="correct")
    with fixed_threads(torch.get_num_threads() + 1):
        fit(tmp_path, [GLASSES])
    assert len(described) == 4


def test_other_settings_do_not_use_what_is_kept_for_these(tmp_path, domain):
    made = StyleCLIPMapper(domain, **SMALL)
    other = StyleCLIPMapper(domain, **{**SMALL, "latent_weight": 3.0})
    assert made._cache() != other._cache() and made._cache() == StyleCLIPMapper(domain, **SMALL)._cache()


def test_committed_mappers_come_before_trained_ones(tmp_path, domain, editor):
    latents = domain.invert(domain.photos("train", 2))
    editor.save(tmp_path / "committed")
    assert torch.equal(StyleCLIPMapper(domain).edit(latents, GLASSES).codes, editor.edit(latents, GLASSES).codes)


def test_strength_zero_needs_no_mapper(domain):
    latents = domain.invert(domain.photos("train", 2))
    assert torch.equal(StyleCLIPMapper(domain).edit(latents, BLOND, 0).codes, latents.codes)


def test_styles_without_their_codes_are_refused(editor):
    with pytest.raises(UserError, match="W\\+"):
        editor.edit(Latents(torch.zeros(1, 7), "s"), BLOND)


@pytest.mark.parametrize(
    ("phrase", "name"),
    [("blond hair", "blond-hair"), ("  Blond   Hair ", "blond-hair"), ("afro", "afro")],
)
def test_plain_phrases_are_their_file_names(phrase, name):
    assert stem(phrase) == name


def test_phrases_that_differ_have_files_that_differ():
    phrases = ["hi-top fade", "hi top fade", "hi top, fade", "blå øyne", "bla oyne", "!", "?", "x" * 100, "x" * 101]
    assert len({stem(phrase) for phrase in phrases}) == len(phrases)
    assert all(stem(phrase).replace("-", "").isalnum() and stem(phrase).isascii() for phrase in phrases)


def test_every_prompt_of_the_papers_table_finds_its_released_mapper():
    """Table 2's eight mappers: a name that is not found would quietly be trained instead, for hours."""
    card = load_dataset("ffhq")
    experiment = load_experiment("styleclip_table2")
    (part,) = experiment.measure
    planned = plan_prompts(card, "full", experiment.prompts["full"])
    wanted = [StyleCLIPMapper.released_name(normalised(each.prompt.words)) for each in planned]
    assert set(wanted) <= set(StyleCLIPMapper.info.released["full"]["ffhq"])
    assert len(set(wanted)) == len(part.settings) == 8
    published = {name.lower() for name in part.settings}
    for each in planned:
        assert published & {each.id, (each.prompt.phrase or "").lower(), each.prompt.target.lower()}, each
