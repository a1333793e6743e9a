"""Trainings on pretended cards: no step waits, and a second process meets its own card only."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from unittest import mock

import pytest
import torch

from textedit_bench.domain import Domain, load_domain
from textedit_bench.registry import list_methods, new_editor
from textedit_bench.testing import TOYS, write_toy_dataset
from textedit_bench.training.lightning_module import EditorModule
from textedit_methods.hairclip.training import HairTraining

CARDS = {card.name: card for card in list_methods()}
MORE = {
    "ffclip": {"ema_decay": 0.9, "warmup_steps": 2, "steps_per_epoch": 4, "epochs": 2},
    "styleclip-mapper": {"steps": 8, "steps_per_validation": 4},
    "ppe": {"steps": 8, "steps_per_validation": 4},
    "styleflow": {"steps": 8, "steps_per_validation": 4},
    "hairclip": {"steps": 8, "steps_per_validation": 4},
    "deltaedit": {"steps": 8, "steps_per_validation": 4},
    "dfgan": {"steps": 8, "steps_per_validation": 4, "ema_decay": 0.9},
    "clip2gan": {
        "steps_per_epoch": 4, "epochs": 2, "adversarial_start": 0.0, "penalty_every": 1, "consistency_weight": 0.1,
        "gradient_clip": 1.0,
    },
}  # fmt: skip
"""On top of the trial: every term, and epochs of several steps."""
ELSEWHERE = {"clip2gan-e4e": "has the training of clip2gan", "styleclip-global": "sweeps, without a step of learning"}


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return str(write_toy_dataset(tmp_path_factory.mktemp("toy"), TOYS[0], judges=True))


def fit(name, card, device, folder):
    domain = load_domain(card, "mini", device)
    prompts = list(domain.prompts("evaluation").values())[:2] if CARDS[name].trains == "per-prompt" else None
    editor = new_editor(name, domain, **{**CARDS[name].trial, **MORE[name]})
    editor.fit(prompts, folder=folder, progress=False, preview_images=0, logger="csv")


def test_every_training_is_here():
    trained = {name for name, card in CARDS.items() if card.trains != "none"}
    assert trained == {*MORE, *ELSEWHERE}


class Parser(torch.nn.Module):
    """Takes what is bright for hair."""

    def hair(self, images):
        return (images.mean(1, keepdim=True) > 0).to(images)


@pytest.fixture
def parser(monkeypatch):
    """A face parser, which the toy lacks: HairCLIP has other terms with one."""
    has, network, digest = Domain.has, Domain.network, Domain.digest
    monkeypatch.setattr(Domain, "has", lambda own, role: role == "parser" or has(own, role))
    monkeypatch.setattr(Domain, "digest", lambda own, role: "p" if role == "parser" else digest(own, role))
    monkeypatch.setattr(Domain, "network", lambda own, role: Parser() if role == "parser" else network(own, role))


def test_no_step_waits_for_the_hair_that_a_parser_sees(parser, cuda, card, tmp_path, monkeypatch):
    seen = []
    terms = HairTraining.terms
    monkeypatch.setattr(HairTraining, "terms", lambda *given: seen.append(terms(*given)) or seen[-1])
    test_no_step_waits(cuda, card, tmp_path, "hairclip")
    assert {"background", "colour_kept", "style_image", "colour_image"} <= seen[0].keys()


@pytest.mark.parametrize("name", MORE)
def test_no_step_waits(cuda, card, tmp_path, name):
    """From the second step on, of which each is watched from start to start, the batch's way to the device included."""
    starts = []

    def started(module, batch, index):
        starts.append((module.current_epoch, Counter(cuda.syncs)))

    with mock.patch.object(EditorModule, "on_train_batch_start", started):
        fit(name, card, "cuda", tmp_path)
    steps = [after - before for (epoch, before), (same, after) in pairwise(starts[1:]) if epoch == same]
    assert len(steps) >= 4 and all(step == Counter() for step in steps), steps


@pytest.mark.parametrize("name", MORE)
def test_the_second_process_meets_its_own_card_only(cuda, card, tmp_path, name):
    """What comes before the training runs on the card that was named; the module then goes to that of its process."""
    ended = []

    def second(trainer, module, datamodule, **_):
        module.to(torch.device("cuda", 1))
        module.on_fit_start()
        loader = datamodule.train_dataloader()
        batch = loader.dataset[next(iter(loader.sampler))]
        batch = datamodule.transfer_batch_to_device(batch, torch.device("cuda", 1), 0)
        own = {"global_rank": 1, "global_step": 0, "current_epoch": 0}
        with mock.patch.multiple(type(module), create=True, **own):
            module.total(module.terms(module.network, batch)).backward()
        devices = {parameter.grad.device for parameter in module.network.parameters() if parameter.grad is not None}
        unused = [key for key, parameter in module.network.named_parameters() if parameter.grad is None]
        ended.append((devices, unused))
        raise InterruptedError

    with mock.patch("textedit_bench.training.run.fit", second), pytest.raises(InterruptedError):
        fit(name, card, "cuda", tmp_path)
    # Parameters without a gradient stop DDP.
    assert ended == [({torch.device("cuda", 1)}, [])]
