"""The first loss or weight that is not finite stops a training: named, with its step, and nothing of it is kept."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from textedit_bench.finite import DivergedError, FiniteWatch
from textedit_bench.training import EditorModule, LatentData, RunOptions, train
from textedit_workshop.worlds.training.fit import Plan, Trained, fit

STEPS, EPOCHS = 4, 3
NOT_FINITE = st.sampled_from([float("nan"), float("inf"), float("-inf")])


class Breaking(EditorModule):
    """Two terms, one of which breaks at a step; or weights that do."""

    at, term, value = 0, "", float("nan")

    def terms(self, network, batch):
        error = (network(batch["codes"]) - batch["codes"]).square().mean()
        found = {"error": error, "size": network(batch["codes"]).abs().mean()}
        if self.trainer.training and self.global_step + 1 == self.at and self.term in found:
            found[self.term] = found[self.term] * self.value
        return found

    def total(self, terms):
        loss = sum(terms.values())
        return loss * self.value if self.term == "loss" and self.trainer.training and self._now() else loss

    def on_train_batch_end(self, *given):
        super().on_train_batch_end(*given)
        if self.term == "weights" and self.global_step == self.at:
            self.network.weight.data[0, 0] = self.value

    def _now(self):
        return self.global_step + 1 == self.at


def _train(folder, **broken):
    torch.manual_seed(0)
    domain = SimpleNamespace(device=torch.device("cpu"), card=None, tier="mini")
    module = Breaking(nn.Linear(4, 4), domain, learning_rate=1e-2)
    vars(module).update(broken)
    codes = torch.randn(24, 3, 4, generator=torch.Generator().manual_seed(1))
    data = LatentData(codes, batch_size=4, steps_per_epoch=STEPS, validation=8)
    options = RunOptions(folder=folder, progress=False, preview_images=0, logger="csv")
    return train(module, data, options, name="breaking", identity={}, epochs=EPOCHS)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, STEPS * EPOCHS), st.sampled_from(["error", "size", "loss", "weights"]), NOT_FINITE)
def test_the_first_term_that_is_not_finite_ends_a_training(tmp_path_factory, at, term, value):
    folder = tmp_path_factory.mktemp("run")
    with pytest.raises(DivergedError) as caught:
        _train(folder, at=at, term=term, value=value)
    told = str(caught.value)
    if term == "weights":  # seen in the next loss, or where they were to be kept
        assert "not finite" in told
    else:
        assert f"training stopped at step {at}: {term} is not finite" in told
    kept = list(folder.rglob("last.ckpt"))
    assert len(kept) == int(at > STEPS)
    for path in kept:
        assert str(path) in told
        state = torch.load(path, weights_only=True)["state_dict"]
        assert all(value.isfinite().all() for value in state.values())


class Line(Trained):
    """Learns a factor until its loss breaks."""

    def __init__(self, plan: Plan, at: int) -> None:
        super().__init__(plan)
        self.factor, self.at = nn.Linear(1, 1), at

    def training_step(self, batch):
        loss = self.factor(batch).square().mean()
        return loss * float("nan") if self.global_step + 1 == self.at else loss


@pytest.mark.parametrize("at", [1, 4, 5, 10])
def test_so_does_the_loss_of_a_network_of_a_world(tmp_path, at):
    plan = Plan(10, tmp_path, checkpoint_every=2)
    with pytest.raises(DivergedError, match=f"step {at}: loss is not finite; checkpoints from before"):
        fit(Line(plan, at), lambda step: torch.ones(2, 1), plan)
    assert all(int(path.stem[5:]) < at for path in tmp_path.glob("*.ckpt"))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=6))
def test_a_watch_names_the_first_of_all_terms_and_steps(steps):
    watch, first = FiniteWatch("test"), None
    for number, (a, b) in enumerate(steps, 1):
        values = {"a": torch.tensor([1.0, float("nan") if a else 2.0]), "b": torch.tensor(float("inf") if b else 0.0)}
        first = first or ("a" if a else "b" if b else None)
        if first is None:
            watch.note(number, values)
            continue
        with pytest.raises(DivergedError, match=f"test stopped at step {number}: {first} is not finite"):
            watch.note(number, values)
        return
    watch.check()
