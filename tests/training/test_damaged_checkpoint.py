"""A checkpoint that is not what was written is set aside, and the run ends as if it had never been there."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from textedit_bench.training import EditorModule, LatentData, RunOptions, train
from textedit_bench.training.run import _why_restart


class Regression(EditorModule):
    """Doubles codes."""

    def terms(self, network, batch):
        return {"error": (network(batch["codes"]) - 2 * batch["codes"]).square().mean()}

    def total(self, terms):
        return terms["error"]


def _train(folder: Path, keep: str, **options: object) -> tuple[Path, list[torch.Tensor], int]:
    """Its folder, the weights it kept and the steps that this part of it made."""
    torch.manual_seed(0)
    domain = SimpleNamespace(device=torch.device("cpu"), card=None, tier="mini")
    module = Regression(nn.Linear(4, 4), domain, learning_rate=1e-2)
    steps = []
    module.on_train_batch_end = lambda *_: steps.append(0)
    codes = torch.randn(24, 3, 4, generator=torch.Generator().manual_seed(1))
    data = LatentData(codes, batch_size=4, steps_per_epoch=3, validation=8)
    run = RunOptions(folder=folder, progress=False, preview_images=0, logger="csv", **options)
    result = train(module, data, run, name="regression", identity={}, epochs=3, keep=keep)
    return result.folder, list(module.state_dict().values()), len(steps)


def _damage(path: Path, damage: str) -> None:
    whole = path.read_bytes()
    middle = whole.index(b"state_dict")
    changed = {
        "cut": whole[: len(whole) // 2],
        "bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "empty": b"",
        "text": b"not a checkpoint",
    }
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(changed[damage])


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "text", "missing"])
@pytest.mark.parametrize(("keep", "name"), [("best", "best"), ("best", "last"), ("last", "last")])
def test_a_run_restarts_without_a_checkpoint_that_it_needs(tmp_path, keep, name, damage, caplog):
    folder, _, _ = _train(tmp_path, keep, stop_after_minutes=1e-9)  # one epoch
    _damage(folder / f"{name}.ckpt", damage)
    _, weights, steps = _train(tmp_path, keep)
    assert steps == 9
    assert all(map(torch.equal, weights, _train(tmp_path / "undisturbed", keep)[1]))
    assert _train(tmp_path, keep)[2] == 0, "it had ended"
    if (name, damage) != ("last", "missing"):  # that is a new run
        assert "the run restarts" in caplog.text
        assert len(list(folder.glob("*.corrupt-1"))) == len({keep, "last"}) - (damage == "missing")


def test_a_run_goes_on_without_a_best_that_it_does_not_keep(tmp_path):
    folder, _, _ = _train(tmp_path, "last", stop_after_minutes=1e-9)
    _damage(folder / "best.ckpt", "cut")
    _, weights, steps = _train(tmp_path, "last")
    assert steps == 6
    assert all(map(torch.equal, weights, _train(tmp_path / "undisturbed", "last")[1]))


def test_a_run_stopped_before_its_first_validation_misses_no_best(tmp_path):
    torch.save({"callbacks": {"checkpoint": {"best_model_path": ""}}}, tmp_path / "last.ckpt")
    assert _why_restart(tmp_path, "best") == ""


@pytest.mark.parametrize("rank", [0, 1])
def test_no_process_goes_on_from_a_run_that_restarts(tmp_path, monkeypatch, rank):
    """Whether it comes before or after the first process has set the checkpoints aside."""
    folder, _, _ = _train(tmp_path, "best", stop_after_minutes=1e-9)
    _damage(folder / "best.ckpt", "cut")
    monkeypatch.setattr("textedit_bench.training.run.leads", lambda options: rank == 0)
    assert _train(tmp_path, "best")[2] == 9
