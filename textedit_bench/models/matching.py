"""Load a state dict strictly, with a descriptive error, without the prefixes that trainers add to names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from textedit_bench.errors import CheckpointError

Value = TypeVar("Value")

_WRAPPERS = re.compile(r"(^|\.)(?:(?:module|_orig_mod)\.)+")
"""`DataParallel` and `AveragedModel`; `torch.compile`."""
_COUNTER = "n_averaged"
"""Number of steps, which `AveragedModel` stores with the network."""


def plain_names(state: Mapping[str, Value]) -> dict[str, Value]:
    """Return the same values under the names of the unwrapped network, at any depth of wrapping.

    >>> plain_names({"module.encoder.module.body.0.weight": 1})
    {'encoder.body.0.weight': 1}
    """
    plain = {_WRAPPERS.sub(r"\1", str(name)): value for name, value in state.items() if name != _COUNTER}
    return plain if len(plain) == len(state) - (_COUNTER in state) else {str(n): v for n, v in state.items()}


SHOWN = 4


def load_exactly(network: nn.Module, state: Mapping[str, Tensor], source: str, hint: str = "") -> None:
    """Copy `state` into `network`; names and shapes of all tensors must match.

    BatchNorm counters (`num_batches_tracked`) may be absent: old files lack them and evaluation does not read them.

    Args:
        network: target, changed in place.
        state: names and tensors.
        source: file name for the message.
        hint: sentence added to the message, such as what the file resembles.

    Raises:
        CheckpointError: names the missing, surplus and misshapen tensors, or the first that holds nan or infinity.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in state and not name.endswith("num_batches_tracked")]
    surplus = [name for name in state if name not in own]
    misshapen = [
        f"{name} {tuple(state[name].shape)} instead of {tuple(own[name].shape)}"
        for name in own
        if name in state and state[name].shape != own[name].shape
    ]
    unlike = [name for name in own if name in state and not _can_be(state[name], own[name])]
    kinds = (("missing", missing), ("surplus", surplus), ("misshapen", misshapen), ("not plain numbers", unlike))
    faults = [f"{len(names)} {what} ({_some(names)})" for what, names in kinds if names]
    if faults:
        raise CheckpointError(
            f"{source}: tensors do not fit {type(network).__name__}: {'; '.join(faults)}.{hint and ' ' + hint}"
        )
    learnt = {name for name, _ in network.named_parameters()}
    # A mask may hold infinity: what the network itself puts there is right.
    checked = [name for name in own if name in state and (name in learnt or is_finite(own[name]))]
    refuse_not_finite({name: state[name] for name in checked}, source)
    network.load_state_dict(dict(state), strict=False)


def _can_be(given: Tensor, own: Tensor) -> bool:
    """Whether a stored tensor can be loaded: dense, of the same kind, and with data."""
    there = given.layout == torch.strided and not given.is_quantized and (own.is_meta or not given.is_meta)
    return there and given.is_floating_point() == own.is_floating_point() and given.is_complex() == own.is_complex()


def refuse_not_finite(tensors: Mapping[str, Tensor], source: str) -> None:
    """Refuse weights with nan or infinity, which give black pictures.

    Args:
        tensors: by name.
        source: file name for the message.

    Raises:
        CheckpointError: a tensor holds nan or infinity.
    """
    for name, tensor in tensors.items():
        if not is_finite(tensor):
            bad = int((~tensor.isfinite()).sum())
            raise CheckpointError(
                f"{source}: {name} holds values that are not finite ({bad} of {tensor.numel()} are nan or infinite)"
            )


def is_finite(tensor: Tensor) -> bool:
    """Whether all numbers are finite; tests the sum first, which fails only if finite numbers overflow."""
    return (
        not tensor.is_floating_point()
        or tensor.is_meta
        or bool(tensor.sum().isfinite())
        or bool(tensor.isfinite().all())
    )


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    rest = len(listed) - SHOWN
    return ", ".join(listed[:SHOWN]) + (f", and {rest} more" if rest > 0 else "")
