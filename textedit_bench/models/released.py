"""Read networks of trained methods, in the authors' layouts and ours, without executing anything in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor, nn

from textedit_bench.errors import CheckpointError, one_line
from textedit_bench.models.state_dicts import load_exactly, plain_names
from textedit_bench.models.storage import build_network, read_tensors
from textedit_bench.models.torch_files import read_named, torch_file_kind

_LARGEST = 65536

FromArray = Callable[[str, "np.ndarray[Any, Any]"], "np.ndarray[Any, Any]"]
"""Our name and a numpy array of a file -> the array as PyTorch lays it out."""


@dataclass(frozen=True)
class ReleasedTensors:
    """The tensors of a released file that belong to the network, under our names.

    Attributes:
        path: the file, for messages.
        state: our name -> tensor.
    """

    path: Path
    state: Mapping[str, Tensor]

    def matrix(self, name: str, what: str = "size", largest: int = _LARGEST) -> tuple[int, int]:
        """Return rows and columns of a weight matrix that determines a size of the network.

        Raises:
            CheckpointError: it is missing, no matrix, or of a size that no such network has.
        """
        if name not in self.state or self.state[name].ndim != 2:
            self.refuse(f"{name} is missing or not a matrix, so the network's {what} is unknown")
        rows, columns = self.state[name].shape
        if not (1 <= rows <= largest and 1 <= columns <= largest):
            self.refuse(f"{name} of shape {(rows, columns)} is out of range")
        return rows, columns

    def refuse(self, reason: str) -> NoReturn:
        """Raise the file's error."""
        raise CheckpointError(f"{self.path}: {reason}")


@dataclass(frozen=True)
class StateDictAdapter:
    """Converts the names of a released checkpoint to a network of ours.

    Attributes:
        trainer: who writes such files, for messages.
        own_name: a name in the file, without wrappers' prefixes -> ours, or None if it is not part of the network.
        build: an untrained network of the sizes that the tensors tell.
        missing: error message for a file without any of the tensors.
        from_array: the authors' other framework wrote numpy arrays: how they become ours; None if it wrote none.
        inside: the named values of one network in a file's content; None if they are its top level.
    """

    trainer: str
    own_name: Callable[[str], str | None]
    build: Callable[[ReleasedTensors], nn.Module]
    missing: str
    from_array: FromArray | None = None
    inside: Callable[[Mapping[str, object]], Mapping[str, object]] | None = None

    def network(self, path: Path, content: Mapping[str, object]) -> nn.Module:
        """Build the network of a file's named values.

        Raises:
            CheckpointError: it holds none, or tensors that are no plain numbers or do not fit.
        """
        state: dict[str, Tensor] = {}
        for name, value in (self.inside(content) if self.inside else content).items():
            own = self.own_name(name) if isinstance(name, str) else None
            if own is None:
                continue
            if self.from_array and isinstance(value, np.ndarray) and value.dtype.kind == "f":
                value = torch.from_numpy(np.array(self.from_array(own, value), np.float32))
            if not isinstance(value, Tensor) or value.layout != torch.strided or not value.is_floating_point():
                raise CheckpointError(f"{path}: {name} is not a dense tensor of floating-point numbers")
            state[own] = value
        if not state:
            raise CheckpointError(f"{path}: {self.missing}")
        network = self.build(ReleasedTensors(path, state))
        load_exactly(network, {name: value.float() for name, value in state.items()}, str(path))
        return network


def part_of(pattern: str, prefix: str = "") -> Callable[[str], str | None]:
    """Return an ``own_name``: the prefix and the first group of the pattern, None for a name that does not match."""
    compiled = re.compile(pattern)
    return lambda name: prefix + match[1] if (match := compiled.match(name)) else None


def load_trained(
    path: Path,
    wanted: type[nn.Module] | tuple[type[nn.Module], ...],
    title: str,
    released: StateDictAdapter | None = None,
) -> nn.Module:
    """Load the network of a trained method, in eval mode, with frozen parameters.

    Args:
        path: a file of ours, or one of the authors'.
        wanted: class of the network, or several that will do.
        title: of the method, for messages.
        released: the authors' layout; None if they released nothing.

    Raises:
        CheckpointError: the file is missing, damaged, would execute code, or holds another network.
    """
    if torch_file_kind(path) == "safetensors":
        tensors, metadata = read_tensors(path)
        if metadata or released is None:
            classes = wanted if isinstance(wanted, tuple) else (wanted,)
            network = build_network(path, tensors, metadata, {each.__module__ for each in classes})
            if not isinstance(network, wanted):
                raise CheckpointError(f"{path}: holds a {type(network).__name__}, not the network of {title}")
            return network
        content: Mapping[str, object] = plain_names(tensors)
    elif released is None:
        raise CheckpointError(f"{path}: not a network of ours; the authors of {title} published no checkpoint")
    else:
        content = read_named(path, released.trainer)
    return released.network(path, content).eval().requires_grad_(False)


def read_matrix(path: Path) -> Tensor:
    """Read the matrix of a ``.npy`` file, float32 [rows, columns] with at least one row.

    Raises:
        CheckpointError: the file is missing, damaged, would execute code, or holds something else.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise CheckpointError(f"{path}: not an array of numbers ({one_line(error)})") from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind != "f" or not len(array):
        raise CheckpointError(f"{path}: expected a matrix of floating-point numbers")
    if not np.isfinite(array).all():
        raise CheckpointError(f"{path}: holds values that are not finite")
    return torch.from_numpy(array.astype(np.float32))
