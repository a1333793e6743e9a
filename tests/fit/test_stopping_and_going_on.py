"""Wherever a signal falls, a training that goes on ends with the weights of one that was never stopped."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from textedit_bench import stopping
from textedit_bench.training import EditorModule, LatentData, RunOptions, train
from textedit_workshop.worlds.training.fit import Plan, Trained, fit, newest_checkpoint

STEPS, EPOCHS = 5, 3


@pytest.fixture(autouse=True)
def _signals_that_reach_the_process():
    """Whoever starts the tests in the background has them ignored, which is kept (the last test says so)."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in stopping.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Regression(EditorModule):
    """Doubles codes; sends itself a signal at certain steps."""

    signals: ClassVar[dict[int, int]] = {}

    def terms(self, network, batch):
        if self.trainer.training and (number := self.signals.pop(self.global_step + 1, None)):
            os.kill(os.getpid(), number)
        return {"error": (network(batch["codes"]) - 2 * batch["codes"]).square().mean()}

    def total(self, terms):
        return terms["error"]


def _learn(folder: Path, signals: dict[int, int]) -> tuple[dict[str, Tensor], list[int]]:
    """Train until it ends by itself; the best weights, and the steps at which it was stopped."""
    stopped = []
    for _ in range(len(signals) + 1):
        torch.manual_seed(0)
        domain = SimpleNamespace(device=torch.device("cpu"), card=None, tier="mini")
        module = Regression(nn.Linear(4, 4), domain, learning_rate=1e-2, milestones=(2,), ema_decay=0.8)
        module.signals = signals
        codes = torch.randn(24, 3, 4, generator=torch.Generator().manual_seed(1))
        data = LatentData(codes, batch_size=4, steps_per_epoch=STEPS, choice_weights=torch.ones(2), validation=8)
        options = RunOptions(folder=folder, progress=False, preview_images=0, logger="csv")
        try:
            with stopping.stoppable():
                result = train(module, data, options, name="regression", identity={}, epochs=EPOCHS)
        except stopping.Stopped:
            stopped.append(module.trainer.global_step)
            continue
        assert result.finished
        last = torch.load(result.folder / "last.ckpt", weights_only=True)["state_dict"]
        return {**module.state_dict(), **{f"last.{name}": value for name, value in last.items()}}, stopped
    raise AssertionError("it never ended")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.integers(1, STEPS * EPOCHS), st.sampled_from(stopping.SIGNALS), min_size=1, max_size=3))
def test_stopped_anywhere_it_ends_as_if_never_stopped(tmp_path_factory, signals):
    asked = sorted(signals)
    weights, stopped = _learn(tmp_path_factory.mktemp("stopped"), dict(signals))
    undisturbed, never = _learn(tmp_path_factory.mktemp("undisturbed"), {})
    assert never == []
    assert [step for step in asked if step < STEPS * EPOCHS] == [step for step in stopped if step < STEPS * EPOCHS]
    assert all(torch.equal(weights[name], undisturbed[name]) for name in undisturbed)


class Line(Trained):
    """Learns a factor; sends itself a signal at certain steps."""

    def __init__(self, plan: Plan, signals: dict[int, int]) -> None:
        super().__init__(plan)
        self.factor, self.signals = nn.Linear(1, 1), signals

    def training_step(self, batch: Tensor) -> Tensor:
        if number := self.signals.pop(self.global_step + 1, None):
            os.kill(os.getpid(), number)
        return (self.factor(batch) - 3 * batch).square().mean()


def _fit_world(folder: Path, signals: dict[int, int]) -> Tensor:
    plan = Plan(12, folder, checkpoint_every=5)
    for _ in range(len(signals) + 1):
        torch.manual_seed(0)
        module = Line(plan, signals)
        before = len(signals)
        try:
            with stopping.stoppable():
                fit(module, lambda step: torch.full((2, 1), float(step)), plan)
            return module.factor.weight.detach()
        except stopping.Stopped:
            assert len(signals) < before
            assert len(list(folder.glob("*.ckpt"))) >= 1
    raise AssertionError("it never ended")


@pytest.mark.parametrize("signals", [{1: 15}, {4: 2, 5: 15, 11: 1}, {5: 15}, {12: 15}], ids=str)
def test_a_network_of_a_world_goes_on_where_it_was_stopped(tmp_path, signals):
    assert torch.equal(_fit_world(tmp_path / "a", dict(signals)), _fit_world(tmp_path / "b", {}))
    assert newest_checkpoint(tmp_path / "a").stem >= newest_checkpoint(tmp_path / "b").stem
    assert len(list((tmp_path / "a").glob("*.ckpt"))) <= 2


def test_a_second_signal_does_not_wait_for_the_step(monkeypatch):
    with stopping.stoppable():
        stopping.postpone()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)  # as `timeout` does: the same wish
        monkeypatch.setattr(stopping, "_SAME_WISH", 0.0)
        with pytest.raises(stopping.Stopped):
            os.kill(os.getpid(), signal.SIGINT)
        assert stopping.exit_code() == 128 + signal.SIGTERM


def test_a_training_started_with_nohup_is_stopped_by_sigterm(tmp_path):
    for number in (signal.SIGINT, signal.SIGHUP):  # as `nohup ... &` leaves them
        signal.signal(number, signal.SIG_IGN)
    assert torch.equal(_fit_world(tmp_path / "a", {5: signal.SIGTERM}), _fit_world(tmp_path / "b", {}))


@pytest.mark.parametrize("number", stopping.SIGNALS)
def test_an_ignored_signal_stays_ignored(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with stopping.stoppable():
            os.kill(os.getpid(), number)
        assert stopping.asked() is None
    finally:
        signal.signal(number, before)
