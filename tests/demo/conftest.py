"""Desks on a toy data set, with an editor that counts its work."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import pytest
import torch

from textedit_bench.demo import desk as desk_module
from textedit_bench.demo.desk import Desk
from textedit_bench.domain import load_domain
from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.info import MethodInfo
from textedit_bench.testing.toy import write_toy_dataset

CARDS = {
    name: MethodInfo(name, name.title(), "", "", "x:y", "w+", trains, tasks=("edit", "generate"))
    for name, trains in (("shift", "none"), ("fussy", "none"), ("raw", "per-dataset"))
}


@dataclass
class Work:
    """What editors were asked."""

    sweeps: list[tuple[str, tuple[float, ...]]] = field(default_factory=list)


class Shift(Editor):
    """Adds the strength to the codes."""

    info: ClassVar[MethodInfo] = CARDS["shift"]
    work: Work

    def edit_sweep(self, latents, prompt, strengths):
        assert prompt.attribute is None  # a method never sees the truth
        self.work.sweeps.append((prompt.target, tuple(strengths)))
        return [latents.with_codes(latents.codes + strength) for strength in strengths]

    def generate(self, prompt, n, seed=0):
        generator = torch.Generator().manual_seed(seed)
        rows, width = self.domain.generator.num_rows, self.domain.generator.w_dim
        return Latents(torch.randn(n, rows, width, generator=generator), "w+")


class Fussy(Shift):
    """Takes no text at all."""

    info = CARDS["fussy"]

    def refusal(self, prompt):
        return "it serves <b>nothing</b>"


class Raw(Shift):
    """Was never trained."""

    info = CARDS["raw"]


@pytest.fixture(scope="session")
def toy_card(tmp_path_factory):
    return write_toy_dataset(tmp_path_factory.mktemp("toy"), judges=True)


@pytest.fixture
def work(monkeypatch):
    """The methods are `Shift`, `Fussy` and `Raw`; what they do is listed here."""
    classes = {"shift": Shift, "fussy": Fussy, "raw": Raw}
    work = Work()
    monkeypatch.setattr(Shift, "work", work, raising=False)

    def new_editor(name, domain, **settings):
        return classes[name](domain, **settings)

    def ready_editor(name, domain, weights, settings):
        if name == "raw":
            raise UserError("method 'raw' has no trained weights")
        return new_editor(name, domain)

    monkeypatch.setattr(desk_module, "list_methods", lambda: list(CARDS.values()))
    monkeypatch.setattr(desk_module, "method_info", CARDS.__getitem__)
    monkeypatch.setattr("textedit_bench.registry.method_info", CARDS.__getitem__)
    monkeypatch.setattr(desk_module, "new_editor", new_editor)
    monkeypatch.setattr(desk_module, "ready_editor", ready_editor)
    return work


@pytest.fixture
def desk(toy_card, work):
    return Desk(load_domain(toy_card, "mini"), str(toy_card))
