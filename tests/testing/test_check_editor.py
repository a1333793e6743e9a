"""Every check catches the mistake it is there for, and none blames a method that keeps the rules."""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import sys
import threading
from dataclasses import replace
from types import ModuleType

import pytest
import torch

from textedit_bench.editor import Editor, Latents, MethodInfo
from textedit_bench.errors import UserError
from textedit_bench.models.storage import write_tensors
from textedit_bench.testing import TOYS, ConformanceError, check_editor

CARD = MethodInfo(
    "good", "Good", "", "", f"{__name__}:Good", "w+", "none", strength_meaning="m", settings={"size": 1.0}
)


class Good(Editor):
    """Moves every row by a number made of the prompt's letters."""

    info = CARD

    def step(self, latents, prompt):
        return self.settings["size"] * torch.full_like(latents.codes, len(prompt.words) / 20)

    def edit(self, latents, prompt, strength=1.0):
        return latents.with_codes(latents.codes + strength * self.step(latents, prompt)) if strength else latents


def failed(method, monkeypatch, geometries=TOYS[:1]):
    """Names of the checks that a class fails; the card is made to name the class."""
    name = f"conformance_{method.__name__}"  # an importable home, which pickle and the card need
    home = ModuleType(name)
    setattr(home, method.__name__, method)
    method.__module__, method.__qualname__ = name, method.__name__
    monkeypatch.setitem(sys.modules, name, home)
    if isinstance(method.info, MethodInfo):
        method.info = replace(method.info, editor=f"{name}:{method.__name__}")
    results = check_editor(method, geometries=geometries, raises=False)
    return {result.check: result for result in results if result.state == "failed"}


def test_a_method_that_keeps_the_rules_passes_on_every_shape(monkeypatch):
    class Fine(Good):
        pass

    assert failed(Fine, monkeypatch, TOYS) == {}


class Draws(Editor):
    """Pictures drawn from the prompt's letters; it cannot edit."""

    info = replace(CARD, space="image", tasks=("generate",))

    def generate(self, prompt, n, seed=0):
        side = self.domain.resolution
        stream = torch.Generator().manual_seed(seed)
        shade = len(prompt.words) / 100
        return (torch.rand(n, 3, side, side, generator=stream) - shade).clamp(-1, 1).to(self.domain.device)


class Forgetful(Draws):
    def generate(self, prompt, n, seed=0):
        return super().generate(prompt, n, 0)


class Narrow(Draws):
    def generate(self, prompt, n, seed=0):
        return super().generate(prompt, n, seed)[..., :-1]


class Choosy(Good):
    """Serves one of the toy's prompts."""

    def refusal(self, prompt):
        return None if "bottom" in prompt.words else f"{prompt.words!r} has no bottom"

    def step(self, latents, prompt):
        assert "bottom" in prompt.words
        return super().step(latents, prompt)


class ServesNobody(Good):
    def refusal(self, prompt):
        return "it serves nobody"


@pytest.mark.parametrize("method", [Draws, Choosy])
def test_methods_that_only_generate_or_serve_some_prompts_keep_the_rules_too(method, monkeypatch):
    assert failed(type("Fine", (method,), {}), monkeypatch) == {}


@pytest.mark.parametrize(("method", "found"), [(Forgetful, "another seed"), (Narrow, "pictures of shape")])
def test_what_only_generates_is_looked_at(method, found, monkeypatch):
    assert found in failed(method, monkeypatch)["generation"].found


def test_a_method_that_serves_no_prompt_works_nowhere(monkeypatch):
    assert list(failed(ServesNobody, monkeypatch)) == ["edits at least one data set"]


class AlwaysEdits(Good):
    def edit(self, latents, prompt, strength=1.0):
        return latents.with_codes(latents.codes + (strength + 0.1) * self.step(latents, prompt))


class TurnsBack(Good):
    def edit(self, latents, prompt, strength=1.0):
        return super().edit(latents, prompt, strength if strength <= 1 else 2.2 - strength)


class Ignores(Good):
    def step(self, latents, prompt):
        return torch.ones_like(latents.codes)


class DoesNothing(Good):
    def step(self, latents, prompt):
        return torch.zeros_like(latents.codes)


class OtherSweep(Good):
    def edit_sweep(self, latents, prompt, strengths):
        return [self.edit(latents, prompt, strength) for strength in sorted(strengths)]


class Double(Good):
    def edit(self, latents, prompt, strength=1.0):
        edit = super().edit(latents, prompt, strength)
        return edit.with_codes(edit.codes.double())


class LosesIds(Good):
    def edit(self, latents, prompt, strength=1.0):
        return Latents(super().edit(latents, prompt, strength).codes, "w+")


class KeepsGraph(Good):
    def edit(self, latents, prompt, strength=1.0):
        codes = super().edit(latents, prompt, strength).codes
        return latents.with_codes(codes.clone().requires_grad_(True))


class Neighbours(Good):
    def step(self, latents, prompt):
        return super().step(latents, prompt) + latents.codes.mean(0) * 3 * (len(latents) > 1)


class Position(Good):
    def step(self, latents, prompt):
        return super().step(latents, prompt) * torch.linspace(0.2, 2, len(latents))[:, None, None]


class Remembers(Good):
    def step(self, latents, prompt):
        self.count = getattr(self, "count", 0) + 1
        return super().step(latents, prompt) * self.count


class Dice(Good):
    def step(self, latents, prompt):
        return super().step(latents, prompt) * (1 + random.SystemRandom().random())


class InPlace(Good):
    def edit(self, latents, prompt, strength=1.0):
        step = self.step(latents, prompt)
        return latents.with_codes(latents.codes.add_(strength * step))


class Unfreezes(Good):
    def edit(self, latents, prompt, strength=1.0):
        if strength:
            self.domain.generator.requires_grad_(True)
        return super().edit(latents, prompt, strength)


class NeedsPhotos(Good):
    def step(self, latents, prompt):
        assert latents.images is not None
        return super().step(latents, prompt)


class Downloads(Good):
    def step(self, latents, prompt):
        with contextlib.suppress(OSError):
            socket.create_connection(("203.0.113.1", 9), timeout=0.01)
        return super().step(latents, prompt)


class AsksJudge(Good):
    def step(self, latents, prompt):
        with contextlib.suppress(UserError):
            self.domain.network("judge_clip")
        return super().step(latents, prompt)


class Seeds(Good):
    def step(self, latents, prompt):
        torch.manual_seed(3)
        return super().step(latents, prompt)


class SeedsEarly(Good):
    def __init__(self, domain, **settings):
        super().__init__(domain, **settings)
        torch.manual_seed(3)


class RunsEarly(Good):
    def __init__(self, domain, **settings):
        super().__init__(domain, **settings)
        domain.generator.map(torch.zeros(1, domain.generator.z_dim))


class LeavesThread(Good):
    def step(self, latents, prompt):
        threading.Thread(target=threading.Event().wait, args=(2,), name="left-behind", daemon=True).start()
        return super().step(latents, prompt)


class HoldsLambda(Good):
    def __init__(self, domain, **settings):
        super().__init__(domain, **settings)
        self.scale = lambda x: x


class TakesAnything(Good):
    def __init__(self, domain, **settings):
        super().__init__(domain)


MUTANTS = {
    AlwaysEdits: "strength 0 is the base",
    TurnsBack: "more strength is not less effect",
    Ignores: "an edit edits",
    DoesNothing: "an edit edits",
    OtherSweep: "a sweep is its edits",
    Double: "shapes, types and range",
    LosesIds: "shapes, types and range",
    KeepsGraph: "shapes, types and range",
    Neighbours: "alone or in a batch, the same edit",
    Position: "the order of images does not matter",
    Remembers: "the order of edits does not matter",
    Dice: "same seed, same result",
    InPlace: "inputs and networks are not changed",
    Unfreezes: "inputs and networks are not changed",
    NeedsPhotos: "an edit needs no photo",
    Downloads: "no hidden downloads",
    AsksJudge: "no evaluation network is used",
    Seeds: "global state is not changed",
    SeedsEarly: "global state is not changed",
    RunsEarly: "all work is done inside edit",
    LeavesThread: "all work is done inside edit",
    HoldsLambda: "picklable",
    TakesAnything: "unknown settings are refused",
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mistake_is_caught_by_its_check(mutant, monkeypatch):
    found = failed(mutant, monkeypatch)
    assert MUTANTS[mutant] in found
    text = found[MUTANTS[mutant]].text()
    assert all(part in text for part in ("found:", "expected:", "because:"))


def test_a_refusal_in_words_is_no_failure_and_a_crash_is(monkeypatch):
    class Polite(Good):
        def edit(self, latents, prompt, strength=1.0):
            if not self.domain.has("identity"):
                raise UserError(f"needs an identity network; {self.domain.name} has none")
            return super().edit(latents, prompt, strength)

    class Crashes(Good):
        def edit(self, latents, prompt, strength=1.0):
            return super().edit(latents, prompt, strength * len({}["identity"]))

    assert failed(Polite, monkeypatch, (TOYS[0], TOYS[2])) == {}
    assert "edits the data set or says why not" in failed(Crashes, monkeypatch)


def test_a_method_that_works_nowhere_fails(monkeypatch):
    class Nowhere(Good):
        def edit(self, latents, prompt, strength=1.0):
            raise UserError("not today")

    monkeypatch.setattr("textedit_bench.registry.list_datasets", lambda: [])
    assert set(failed(Nowhere, monkeypatch)) == {"edits at least one data set"}


def test_a_bad_card_is_said_before_anything_is_made(monkeypatch):
    class NoCard(Good):
        info = None

    class Shouts(Good):
        info = replace(CARD, name="Good Method")

    assert set(failed(NoCard, monkeypatch)) == {"the card is complete"}
    assert "lower-case" in failed(Shouts, monkeypatch)["the card is complete"].found


def test_trained_weights_make_the_round_trip_or_fail(monkeypatch):
    class Learns(Good):
        info = replace(CARD, trains="per-dataset", trial={"size": 0.5})
        scale = None

        def fit(self, prompts=None, **options):
            self.scale = torch.tensor([2.0])

        def save(self, path):
            write_tensors({"scale": self.scale}, path, {})

        def load(self, path):
            from safetensors.torch import load_file

            self.scale = load_file(path)["scale"]

        def step(self, latents, prompt):
            return super().step(latents, prompt) * self.scale.to(latents.codes)

    class Forgets(Learns):
        def load(self, path):
            self.scale = torch.rand(1, generator=torch.Generator().manual_seed(id(self) % 1000)) * 9

    assert failed(Learns, monkeypatch) == {}
    assert "saved and loaded is the same" in failed(Forgets, monkeypatch)


def test_a_stopped_training_goes_on_or_begins_anew(monkeypatch):
    """Eight steps of a number towards another; what was reached at half time is kept."""

    class Trains(Good):
        info = replace(CARD, trains="per-dataset", trial={"size": 0.5})
        loses = skips = False
        scale = None

        def fit(self, prompts=None, *, folder, **options):
            from safetensors.torch import load_file

            kept = folder / "half.safetensors"
            self.scale = load_file(kept)["scale"] if kept.exists() else torch.zeros(1)
            done = (8 if self.skips else 4) if kept.exists() else 0
            if self.loses and done:
                self.scale = torch.zeros(1)
            scale = self.scale.requires_grad_()
            descent = torch.optim.SGD([scale], lr=0.1)
            for step in range(done, 8):
                descent.zero_grad()
                (scale - 2).square().sum().backward()
                descent.step()
                if step == 3:
                    folder.mkdir(exist_ok=True)
                    write_tensors({"scale": scale.detach()}, kept, {})
            self.scale = scale.detach()

        def save(self, path):
            path.parent.mkdir(exist_ok=True)
            write_tensors({"scale": self.scale}, path, {})

        def load(self, path):
            from safetensors.torch import load_file

            self.scale = load_file(path)["scale"]

        def step(self, latents, prompt):
            return super().step(latents, prompt) * self.scale.to(latents.codes)

    found = failed(type("Fine", (Trains,), {}), monkeypatch)
    assert found == {}
    for fault in ("loses", "skips"):
        found = failed(type(fault.title(), (Trains,), {fault: True}), monkeypatch)
        assert "other weights" in found["a stopped training goes on"].found


def test_what_a_method_says_stays_out_of_the_report_and_can_be_heard_afterwards(monkeypatch, caplog):
    class Talks(Good):
        def step(self, latents, prompt):
            logging.getLogger("elsewhere").warning("nobody asked")
            return super().step(latents, prompt)

    assert failed(Talks, monkeypatch) == {}
    assert "nobody asked" not in caplog.text
    logging.getLogger("elsewhere").warning("heard")
    assert "heard" in caplog.text


def test_the_error_holds_every_failure(monkeypatch):
    failed(AlwaysEdits, monkeypatch)  # gives the class a card of its own
    with pytest.raises(ConformanceError, match="strength 0 is the base") as caught:
        check_editor(AlwaysEdits, geometries=TOYS[:1])
    assert len(caught.value.results) > 10
