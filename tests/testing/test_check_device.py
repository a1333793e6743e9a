"""The check of a device names each fault with its line in the author's code, and blames nobody who works there."""

from __future__ import annotations

import inspect

import pytest
import torch

from textedit_bench.editor import Editor, Latents, MethodInfo
from textedit_bench.registry import list_methods, load_method
from textedit_bench.testing import TOYS, write_toy_dataset
from textedit_bench.testing.checks.device import works_on_a_device
from textedit_bench.testing.subject import Subject

CARD = MethodInfo("there", "There", "", "", f"{__name__}:There", "w+", "none", strength_meaning="m")
QUICK = [card.name for card in list_methods() if card.trial and not card.control]


class There(Editor):
    """Works on any device."""

    info = CARD

    def step(self, codes, prompt):
        return torch.full_like(codes, len(prompt.words) / 20)

    def edit(self, latents, prompt, strength=1.0):
        step = self.step(latents.codes, prompt)
        return latents.with_codes(latents.codes + strength * step)


class ConstantOnTheCpu(There):
    def step(self, codes, prompt):
        scale = torch.linspace(0, 1, codes.shape[-1])
        return scale * codes  # FAULT


class TwoFaults(There):
    def step(self, codes, prompt):
        noise = codes + torch.randn(codes.shape)  # FAULT
        return torch.cat([noise[:, :1], torch.zeros(len(codes), codes.shape[1] - 1, codes.shape[2])], 1)  # FAULT


class FirstCard(There):
    def step(self, codes, prompt):
        return codes.to("cuda:0").to(codes.device)  # FAULT


class ByNumpy(There):
    def step(self, codes, prompt):
        found = codes.numpy()  # FAULT
        return torch.from_numpy(found).to(codes)


class CpuGenerator(There):
    def step(self, codes, prompt):
        stream = torch.Generator().manual_seed(0)
        return torch.randn(codes.shape, device=codes.device, generator=stream)  # FAULT


class ReturnsToTheCpu(There):
    def edit(self, latents, prompt, strength=1.0):
        return Latents(latents.codes.cpu(), "w+", ids=latents.ids)


class OnlyWhenBuilt(There):
    def __init__(self, domain, **settings):
        super().__init__(domain, **settings)
        self.centre = domain.generator.w_mean - torch.zeros(domain.generator.w_dim)  # FAULT


class Unfinished(There):
    def step(self, codes, prompt):
        if codes.is_cuda:
            raise NotImplementedError("CUDA")  # FAULT
        return codes


class Descends(There):
    """Follows a gradient for a few steps."""

    def step(self, codes, prompt):
        with torch.enable_grad():
            moved = codes.detach().clone().requires_grad_()
            adam = torch.optim.Adam([moved], lr=0.1)
            for _ in range(4):
                loss = self.domain.generator.synthesize(moved).square().mean()
                (moved.grad,) = torch.autograd.grad(loss, [moved])
                self.look(loss)
                adam.step()
        return moved.detach() - codes

    def look(self, loss):
        pass


class LooksAtEveryStep(Descends):
    def look(self, loss):
        self.last = float(loss)  # FAULT


class LooksOnce(There):
    def step(self, codes, prompt):
        return codes * float(codes.abs().max())  # NOTE


@pytest.fixture
def subject(tmp_path):
    def make(method, name="toy", **settings):
        from textedit_bench.domain import load_domain

        card = str(write_toy_dataset(tmp_path / name, TOYS[0]))
        # No prompt of a toy is about hair.
        domain = load_domain("ffhq", "mini") if method.__name__ == "HairCLIP" else load_domain(card)
        return Subject(method, domain, tmp_path, settings, True)

    return make


def marked(method, mark):
    """Lines of a class that carry a mark."""
    lines, first = inspect.getsourcelines(method)
    return [first + offset for offset, line in enumerate(lines) if f"# {mark}" in line]


FAULTY = [ConstantOnTheCpu, TwoFaults, FirstCard, ByNumpy, CpuGenerator, OnlyWhenBuilt, Unfinished, LooksAtEveryStep]


@pytest.mark.parametrize("method", FAULTY, ids=lambda method: method.__name__)
def test_a_planted_fault_is_found_with_its_line(subject, method):
    result = works_on_a_device.run(subject(method))
    assert result.state == "failed"
    for line in marked(method, "FAULT"):
        assert f"test_check_device.py:{line}" in result.found, result.found


def test_what_comes_back_has_to_lie_there(subject):
    result = works_on_a_device.run(subject(ReturnsToTheCpu))
    assert result.state == "failed" and "returns tensors on cpu" in result.found


@pytest.mark.parametrize("method", [There, Descends], ids=lambda method: method.__name__)
def test_what_works_there_passes_without_a_note(subject, method):
    result = works_on_a_device.run(subject(method))
    assert (result.state, result.found) == ("passed", "")


def test_a_wait_inside_an_edit_is_a_note(subject):
    result = works_on_a_device.run(subject(LooksOnce))
    (line,) = marked(LooksOnce, "NOTE")
    assert result.state == "passed" and f"test_check_device.py:{line}" in result.found
    assert "; note: an edit waits for the device" in result.text()


@pytest.mark.parametrize("name", QUICK)
def test_the_methods_of_the_project_pass(subject, name):
    method = load_method(name)
    result = works_on_a_device.run(subject(method, **method.info.trial))
    assert result.state == "passed", result.text()
