"""Batches are functions of seed, epoch, rank and position; held-out codes stay held out."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.training import LatentData

CODES = torch.arange(30.0).view(30, 1, 1)


def _epoch(data, epoch=0, rank=0, processes=1):
    data.trainer = SimpleNamespace(global_rank=rank, world_size=processes)
    loader = data.train_dataloader()
    loader.sampler.set_epoch(epoch)
    return list(loader)


def _order(batches):
    return torch.cat([batch["index"] for batch in batches]).tolist()


def test_an_epoch_repeats_and_differs_from_the_next_and_with_the_seed():
    data = LatentData(CODES, batch_size=4, validation=6, seed=3)
    first = _order(_epoch(data))
    assert first == _order(_epoch(LatentData(CODES, batch_size=4, validation=6, seed=3)))
    others = [
        _order(_epoch(data, 1)),
        _order(_epoch(LatentData(CODES, batch_size=4, validation=6))),
    ]
    assert all(first != other for other in others)


@pytest.mark.parametrize("processes", [2, 4])
def test_several_processes_share_the_batches_of_one(processes):
    weights = torch.tensor([1.0, 2.0, 3.0])
    data = LatentData(CODES, batch_size=8, validation=6, steps_per_epoch=5, choice_weights=weights, seed=3)
    whole = _epoch(data, epoch=2)
    parts = [_epoch(data, epoch=2, rank=rank, processes=processes) for rank in range(processes)]
    for step, batch in enumerate(whole):
        for name in ("codes", "index", "choice"):
            assert torch.equal(torch.cat([part[step][name] for part in parts]), batch[name])


def test_a_batch_that_cannot_be_shared_equally_is_refused():
    with pytest.raises(UserError, match="batch_size 5: it cannot be divided equally among 2 processes"):
        _epoch(LatentData(CODES, batch_size=5, validation=6), processes=2)


def test_one_pass_sees_every_training_code_once_and_never_a_held_out_one():
    batches = _epoch(LatentData(CODES, batch_size=4, validation=6))
    assert sorted(_order(batches)) == list(range(24))
    assert all(torch.equal(batch["codes"], CODES[batch["index"]]) for batch in batches)


def test_more_steps_than_codes_go_on_with_further_passes():
    order = _order(_epoch(LatentData(CODES, batch_size=5, validation=6, steps_per_epoch=12)))
    assert len(order) == 60 and sorted(order[:24]) == sorted(order[24:48]) == list(range(24))


def test_conditions_follow_their_weights():
    data = LatentData(CODES, batch_size=24, validation=6, steps_per_epoch=200, choice_weights=torch.tensor([1, 3, 0]))
    choices = torch.cat([batch["choice"] for batch in _epoch(data)])
    shares = torch.bincount(choices, minlength=3) / len(choices)
    assert shares.tolist() == pytest.approx([0.25, 0.75, 0.0], abs=0.03)


def test_validation_is_fixed_and_pairs_conditions_in_turn():
    data = LatentData(CODES, batch_size=4, validation=6, choice_weights=torch.ones(4))
    batches = list(data.val_dataloader())
    assert _order(batches) == [24, 25, 26, 27, 28, 29]
    assert torch.cat([batch["choice"] for batch in batches]).tolist() == [0, 1, 2, 3, 0, 1]


def test_too_few_codes():
    with pytest.raises(UserError, match="batch_size 8"):
        LatentData(CODES[:10], batch_size=8, validation=6)
    with pytest.raises(UserError, match="3 leave none for validation"):
        LatentData(CODES[:3], batch_size=2, validation=0)
