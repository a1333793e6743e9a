"""Every command that takes --device, run to its end on the second of two pretended cards, and on nothing else.

A user's way through a toy data set: training every method, then benching, tuning, scoring, editing and generating.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest import mock

import pytest
import torch
import yaml

from textedit_bench.bench.progress import PlainReporter
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.run import run_cells
from textedit_bench.cli.main import main
from textedit_bench.data.photo import write_grid
from textedit_bench.domain import load_domain
from textedit_bench.files import HOME
from textedit_bench.registry import list_methods
from textedit_bench.testing import TOYS, write_toy_dataset
from textedit_bench.testing.miniature import miniature_settings
from textedit_bench.testing.pretend_cuda import PretendCuda
from textedit_bench.training.lightning_module import EditorModule

CARDS = {card.name: card for card in list_methods()}
METHODS = [name for name, card in CARDS.items() if not card.control]
TRAINED = [name for name in METHODS if CARDS[name].trains != "none"]
EDITING = [name for name in METHODS if "edit" in CARDS[name].tasks]
GENERATING = [name for name in METHODS if "generate" in CARDS[name].tasks]
DEVICE = "cuda:1"
PROMPT = "bright-top"
FEW = ("--images", "2", "--prompts", PROMPT, "--strengths", "0,1")


@dataclass
class Place:
    """Where the commands run: a toy data set, a home folder, results."""

    folder: Path
    card: str

    def quick(self, name: str) -> dict[str, object]:
        """Settings of a method with which an edit is quick, and small networks where it has none of its own."""
        folder = self.folder / "small" / name
        folder.mkdir(parents=True, exist_ok=True)
        small = miniature_settings(CARDS[name], load_domain(self.card), folder)
        return small | {key: value for key, value in CARDS[name].trial.items() if key in CARDS[name].settings}

    @property
    def results(self) -> tuple[str, str]:
        return "--results", str(self.folder / "results")


def run(*words: str) -> None:
    """Run a command on the device; it has to end well."""
    code = main([*words, "--device", DEVICE])
    assert code == 0, f"{' '.join(words)}: exit code {code}"


def options(settings: Mapping[str, object]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("commands")
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv(HOME, str(folder / "home"))
        # As for a generator that was fetched: what is trained for it goes into the home folder.
        patch.setattr("textedit_bench.assets.locate.list_assets", lambda: {"generator.safetensors"})
        card = str(write_toy_dataset(folder / "toy", TOYS[0], judges=True))
        stack.enter_context(PretendCuda(devices=2, only=1))
        yield Place(folder, card)


@pytest.mark.parametrize("name", TRAINED)
def test_train(place, name):
    seen = []
    start = EditorModule.on_fit_start

    def spy(module):
        seen.append(module.device)
        start(module)

    words = ["train", "-m", name, "-d", place.card, "--folder", str(place.folder / "runs"), *options(CARDS[name].trial)]
    if CARDS[name].trains == "per-prompt":
        words += ["--prompts", PROMPT]
    with mock.patch.object(EditorModule, "on_fit_start", spy):
        run(*words)
    assert set(seen) <= {torch.device(DEVICE)}


@pytest.mark.parametrize("name", EDITING)
def test_the_cells_of_a_method(place, name):
    # StyleFlow serves the prompts of its training alone, HairCLIP those about hair.
    prompt = {"styleflow": "pale", "hairclip": "short hair"}.get(name, PROMPT)
    request = BenchRequest(
        methods=(name,), datasets=(place.card,), images=2, strengths=(0.0, 1.0), threads=1, device=DEVICE,
        prompts=(prompt,), settings=place.quick(name), controls=False,
        results=place.folder / "cells",
    )  # fmt: skip
    outcomes = run_cells(request, PlainReporter(StringIO())).summary.outcomes
    assert [(outcome.label, outcome.reason) for outcome in outcomes if outcome.state.value != "done"] == []


def test_bench_with_all_controls(place):
    run("bench", "-m", "interfacegan", "-d", place.card, *FEW, "--set", "samples=16", *place.results)
    run("bench", "-m", "interfacegan", "-d", place.card, *FEW, "--set", "samples=16", *place.results)  # as stored


@pytest.mark.parametrize("name", GENERATING)
def test_bench_of_generation(place, name):
    settings = options(place.quick(name))
    words = ("--task", "generate", "--images", "2", "--prompts", PROMPT, *settings)
    run("bench", "-m", name, "-d", place.card, *words, *place.results)


def test_tune(place):
    run("tune", "-m", "tedigan", "-d", place.card, "--images", "2", "--strengths", "0,1", "--grid", "steps=[1,2]",
        *place.results)  # fmt: skip


def test_score(place):
    run("score", "-m", "interfacegan", "-d", place.card, *FEW, "--set", "samples=16", *place.results)


@pytest.fixture(scope="module")
def photos(place) -> Path:
    """A folder of photos."""
    folder = place.folder / "photos"
    folder.mkdir()
    for position, image in enumerate(load_domain(place.card).photos("evaluation", 4).images):
        write_grid(image[None], folder / f"{position}.png")
    return folder


def test_score_of_two_folders(place, photos):
    run("score", "--source", str(photos), "--edited", str(photos), "--prompt", PROMPT, "-d", place.card)


@pytest.mark.parametrize("name", ["clip2gan", "tedigan"])
def test_edit(place, photos, name):
    settings = options(place.quick(name))
    output = place.folder / f"{name}.png"
    for shown in (str(photos / "0.png"), "evaluation-00001"):
        run("edit", shown, PROMPT, "-m", name, "-d", place.card, "-o", str(output), "--grid", *settings)
        assert output.is_file()


@pytest.mark.parametrize("name", GENERATING)
def test_generate(place, name):
    settings = options(place.quick(name))
    run("generate", PROMPT, "-m", name, "-d", place.card, "-n", "2", "-o", str(place.folder / f"g-{name}"), *settings)


@pytest.mark.parametrize("geometry", [TOYS[0], TOYS[2]], ids=["encoder", "projection"])
def test_invert(place, photos, geometry):
    card = write_toy_dataset(place.folder / f"to-invert-{geometry.name}", geometry)
    content = yaml.safe_load(card.read_text())
    if not geometry.complete:
        content["tiers"]["mini"]["inversion"] = {"steps": 2}
    card.write_text(yaml.safe_dump(content))
    words = ("--tier", "mini", "--split", "evaluation", "-n", "2", "--source", str(photos))
    run("datasets", "invert", "-d", str(card), *words)


def test_reproduce(place):
    experiment = place.folder / "mine.yaml"
    content = {
        "name": "mine", "title": "Mine", "question": "Why?", "citation": "C", "datasets": [place.card], "images": 3,
        "methods": ["deltaedit"], "controls": False, "measure": [{"kind": "scores", "metrics": ["clip_score"]}],
    }  # fmt: skip
    experiment.write_text(yaml.safe_dump(content))
    run("reproduce", str(experiment), *place.results)
