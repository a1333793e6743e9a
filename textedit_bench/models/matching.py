"""Strict loading of a state dict, with an error that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from textedit_bench.models.errors import CheckpointError

SHOWN = 4


def load_exactly(network: nn.Module, state: Mapping[str, Tensor], source: str, hint: str = "") -> None:
    """Copies `state` into `network`; every tensor of the one must be in the other, with the same shape.

    BatchNorm counters (`num_batches_tracked`) may be absent: old files lack them and evaluation does not read them.

    Args:
        network: target, changed in place.
        state: names and tensors.
        source: file name for the message.
        hint: sentence added to the message, such as what the file resembles.

    Raises:
        CheckpointError: names the missing, surplus and misshapen tensors.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    surplus = [name for name in state if name not in own]
    misshapen = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    faults = [
        f"{len(names)} {what} ({_some(names)})"
        for what, names in (("missing", missing), ("surplus", surplus), ("misshapen", misshapen))
        if names
    ]
    if faults:
        raise CheckpointError(
            f"{source}: tensors do not fit {type(network).__name__}: {'; '.join(faults)}.{hint and ' ' + hint}"
        )
    network.load_state_dict(dict(state), strict=False)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    rest = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f", and {rest} more" if rest > 0 else "")
