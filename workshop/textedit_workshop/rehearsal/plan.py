"""The stages of one data set's rehearsal, in their order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textedit_bench.data.card import DatasetCard
from textedit_workshop.rehearsal.cards import SPLITS
from textedit_workshop.rehearsal.checks import (
    check_cells,
    check_generated,
    check_resumed,
    check_stopped,
    check_sweep,
)
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.sizes import Sizes
from textedit_workshop.rehearsal.stages import Stage

COMMAND = ("-m", "textedit_bench.cli.main")
REHEARSAL = ("-m", "textedit_workshop.rehearsal")
IMAGES = SPLITS["evaluation"]
STRENGTHS = "0,1"
_AT_ONCE = "0.000001"
"""Minutes after which a training is stopped: at the end of its first epoch."""
_SWEEP_MINUTES = "0.05"
_BAD_INPUT = 2
"""Exit code of a sweep that its deadline ends before it is done."""


@dataclass(frozen=True)
class DatasetRehearsal:
    """What the stages of a data set have in common.

    Attributes:
        card: of the rehearsal, with its path.
        sizes: of the networks.
        folder: of the rehearsal.
        parts: method -> its part, in running order.
        trains: methods that train something -> ``per-prompt`` or ``per-dataset``.
    """

    card: DatasetCard
    sizes: Sizes
    folder: Path
    parts: Mapping[str, Part]
    trains: Mapping[str, str]

    @property
    def name(self) -> str:
        """The data set's."""
        return self.card.name

    def stages(self) -> Iterator[Stage]:
        """Trainings whose weights are needed, edits by what was released or trained, the other trainings.

        Methods of the same settings are benched together, so that the judges are opened once for all of them; the first
        of these benches has the controls.
        """
        yield self.write()
        needed = [
            method
            for method, part in self.parts.items()
            if method in self.trains and self.name not in part.released and part.untrained is None
        ]
        for method in needed:
            yield from self.train(method, self.parts[method])
        editing = [methods for methods in self.together() if not self.parts[methods[0]].generates]
        for number, methods in enumerate(editing):
            yield self.bench(methods, controls=number == 0)
        yield from (self.generate(methods) for methods in self.together() if methods not in editing)
        for method, part in self.parts.items():
            if method in self.trains and method not in needed:
                # Released weights are to be seen in use, and those that are trained here come before them.
                yield from self.train(method, part)

    def together(self) -> list[list[str]]:
        """The methods, those of equal settings and the same prompt and task in one list."""
        groups: dict[str, list[str]] = {}
        for method in self.parts:
            task = self.parts[method].generates
            alike = json.dumps([self.settings(method), self.prompt(method), task], sort_keys=True)
            groups.setdefault(alike, []).append(method)
        return list(groups.values())

    def prompt(self, method: str) -> str:
        """Id of the prompt of a method's edits: the one that its released files belong to, else the first."""
        phrase = self.parts[method].phrases.get(self.name)
        asked = [prompt for prompt in self.card.tier("full").prompts if prompt.split == "evaluation"]
        return next((prompt.id for prompt in asked if prompt.phrase == phrase), asked[0].id)

    def settings(self, method: str) -> dict[str, Any]:
        """Of a method's edits."""
        part = self.parts[method]
        files = {setting: str(self.given_file(method, setting)) for setting in part.edit_files}
        return {**part.edit, **({} if self.name in part.released else part.untrained or {}), **files}

    def write(self) -> Stage:
        """Weights and photos."""
        command = [*REHEARSAL, "--write", str(self.card.path), "--folder", str(self.folder)]
        return Stage(f"{self.name} write files", [*command, "--methods", ",".join(self.parts)])

    def bench(self, methods: Sequence[str], *, controls: bool) -> Stage:
        """Methods of equal settings and the same prompt: two images, two strengths, with scores and tables."""
        command = [*self._benched(methods), "--strengths", STRENGTHS, "--controls" if controls else "--no-controls"]
        return Stage(
            f"{self.name} bench {', '.join(methods)}",
            command,
            lambda: "; ".join(check_cells(self.results, self.name, method, self.sizes, IMAGES) for method in methods),
        )

    def generate(self, methods: Sequence[str]) -> Stage:
        """Two pictures by each of the methods that generate alone, with scores and tables."""
        return Stage(
            f"{self.name} generate {', '.join(methods)}",
            [*self._benched(methods), "--task", "generate"],
            lambda: "; ".join(check_generated(self.results, self.name, name, self.sizes, IMAGES) for name in methods),
        )

    @property
    def results(self) -> Path:
        """Where benches store their cells."""
        return self.folder / "results"

    def _benched(self, methods: Sequence[str]) -> list[str]:
        """The command of a bench of methods of equal settings and the same prompt."""
        command = [*COMMAND, "bench", "--method", ",".join(methods), "--dataset", str(self.card.path), "--tier", "full"]
        command += ["--prompts", self.prompt(methods[0]), "--images", str(IMAGES), "--results", str(self.results)]
        return [*command, *_given(self.settings(methods[0]))]

    def train(self, method: str, part: Part) -> Iterator[Stage]:
        """One step, saved; and a second one that goes on from there."""
        runs = self.folder / "runs" / self.name / method
        files = {setting: str(self.given_file(method, setting)) for setting in part.training_files}
        command = [*COMMAND, "train", "--method", method, "--dataset", str(self.card.path), "--tier", "full"]
        command += ["--folder", str(runs), *_given({**part.training, **files})]
        if self.trains[method] == "per-prompt":  # a file holds the network of one prompt
            command += ["--prompts", self.prompt(method)]
        runs.mkdir(parents=True, exist_ok=True)
        apart = runs / "stopped.safetensors"
        first, second = f"{self.name} train {method}", f"{self.name} resume {method}"
        if part.endless:
            command += ["--stop-after-minutes", _SWEEP_MINUTES, "--output", str(apart)]
            for name in (first, second):
                yield Stage(name, command, lambda: check_sweep(runs, runs / "stood"), (_BAD_INPUT,))
            return
        stop = ["--stop-after-minutes", _AT_ONCE, "--output", str(apart)]
        yield Stage(first, [*command, *stop], lambda: check_stopped(runs))
        if self.name in part.released:
            weights = runs / "resumed.safetensors"
            command += ["--output", str(weights)]
            yield Stage(second, command, lambda: check_resumed(runs, weights))
        else:  # into use
            place = self.folder / "home" / "trained" / method.replace("-", "_") / f"{self.name}-full.safetensors"
            yield Stage(second, command, lambda: check_resumed(runs, place))

    def given_file(self, method: str, setting: str) -> Path:
        """Where a file lies that a setting names."""
        return self.folder / "given" / self.name / method / setting


def _given(settings: Mapping[str, Any]) -> list[str]:
    """Settings as the command line takes them."""
    words = []
    for name, value in settings.items():
        words += ["--set", f"{name}={value if isinstance(value, str) else json.dumps(value)}"]
    return words
