"""The averaged weights are those of torch's own update, which waits for the device at every step."""

from __future__ import annotations

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from textedit_bench.training.lightning_module import EditorModule


class _Module(EditorModule):
    def terms(self, network, batch):
        return {}

    def total(self, terms):
        return torch.zeros(())


def test_averaging_gives_the_numbers_of_torch():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    module = _Module(network, None, learning_rate=0.1, ema_decay=0.9)
    reference = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    for step in range(4):
        with torch.no_grad():
            for value in network.state_dict().values():
                value.add_(step + 1)
        module.on_train_batch_end(None, {}, step)
        reference.update_parameters(network)
        found, wanted = module.average.state_dict(), reference.state_dict()
        if step:  # torch leaves the buffers of the first step alone
            assert list(found) == list(wanted)
            assert all(torch.equal(found[name], wanted[name]) for name in wanted), step


def test_averaging_goes_on_from_a_checkpoint():
    torch.manual_seed(0)
    module = _Module(nn.Linear(2, 2), None, learning_rate=0.1, ema_decay=0.5)
    module.on_train_batch_end(None, {}, 0)
    again = _Module(nn.Linear(2, 2), None, learning_rate=0.1, ema_decay=0.5)
    again.load_state_dict(module.state_dict())
    with torch.no_grad():
        again.network.weight.add_(1.0)
    again.on_train_batch_end(None, {}, 1)
    assert torch.allclose(again.average.module.weight, module.network.weight + 0.5)
