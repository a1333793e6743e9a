"""Trainings on CUDA cards that only pretend: on the one that was named, with frozen networks that are loaded once."""

from __future__ import annotations

from unittest import mock

import pytest
import torch

import textedit_bench.training
from textedit_bench import models
from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.registry import list_methods, new_editor
from textedit_bench.testing import write_toy_dataset
from textedit_bench.testing.pretend_cuda import PretendCuda
from textedit_bench.training import EditorModule, RunOptions
from textedit_bench.training.trainer import own_device

LEARNING = [info.name for info in list_methods() if {"batch_size", "learning_rate"} <= info.training.keys()]


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return str(write_toy_dataset(tmp_path_factory.mktemp("toy")))


@pytest.fixture
def cuda():
    with PretendCuda(devices=2) as device:
        yield device


def _fit(method, domain, folder, **options):
    editor = new_editor(method, domain, **next(i.trial for i in list_methods() if i.name == method))
    prompt = Prompt("a face with blond hair", "a face", "blond hair")  # HairCLIP takes no other kind
    editor.fit([prompt], folder=folder, progress=False, preview_images=0, logger="csv", **options)


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
@pytest.mark.parametrize("method", LEARNING)
def test_a_training_uses_the_card_that_was_named_and_loads_its_networks_once(cuda, card, tmp_path, method, device):
    seen, loaded, load, start = [], [], models.load_generator, EditorModule.on_fit_start
    with (
        mock.patch.object(models, "load_generator", lambda path: loaded.append(path) or load(path)),
        mock.patch.object(EditorModule, "on_fit_start", lambda self: (seen.append(self.device), start(self))[1]),
    ):
        _fit(method, load_domain(card, "mini", device), tmp_path)
    assert seen == [torch.device("cuda", torch.device(device).index or 0)]
    assert len(loaded) == 1


class _Second(Exception):
    pass


@pytest.mark.parametrize("method", LEARNING)
def test_the_second_process_meets_its_own_card_alone_and_gives_every_parameter_a_gradient(cuda, card, tmp_path, method):
    """What is prepared lies on card 0; then the module is on card 1, as Lightning puts it."""
    without = []

    def second(module, data, options, **_):
        card = torch.device("cuda", 1)
        module.to(card)
        loader = data.train_dataloader()
        batch = {name: value.to(card) for name, value in loader.dataset[next(iter(loader.sampler))].items()}
        with mock.patch.multiple(type(module), create=True, global_rank=1, global_step=0, current_epoch=0):
            module.on_fit_start()
            module.total(module.terms(module.network, batch)).backward()
        without.extend(name for name, value in module.network.named_parameters() if value.grad is None)
        raise _Second

    with mock.patch.object(textedit_bench.training, "train", second), pytest.raises(_Second):
        _fit(method, load_domain(card, "mini", "cuda"), tmp_path)
    assert without == []


@pytest.mark.parametrize(
    ("device", "devices", "place", "own"),
    [
        ("cpu", 2, {"LOCAL_RANK": "1"}, "cpu"),
        ("cuda", 1, {"SLURM_LOCALID": "1"}, "cuda"),
        ("cuda:1", 1, {}, "cuda:1"),
        ("cuda", [3], {}, "cuda:3"),
        ("cuda", 4, {"SLURM_LOCALID": "2"}, "cuda:2"),
        ("cuda", [2, 5], {"LOCAL_RANK": "1"}, "cuda:5"),
        ("cuda", [2, 5], {}, "cuda:2"),
    ],
)
def test_every_process_starts_on_its_own_card(monkeypatch, tmp_path, device, devices, place, own):
    for name in ("LOCAL_RANK", "SLURM_LOCALID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    assert own_device(device, RunOptions(devices=devices, folder=tmp_path)) == own


def test_one_card_and_several_contradict_each_other(tmp_path):
    with pytest.raises(UserError, match="device 'cuda:1' is one card, devices 2 are others"):
        own_device("cuda:1", RunOptions(devices=2, folder=tmp_path))


def test_loading_a_network_leaves_the_callers_random_numbers_alone(card):
    """Else a network's first weights depend on who asked for the generator before."""
    domain = load_domain(card)
    torch.manual_seed(3)
    wanted = torch.rand(4)
    for role in domain.tier_card.networks:
        torch.manual_seed(3)
        domain.network(role)
        assert torch.equal(torch.rand(4), wanted), role
