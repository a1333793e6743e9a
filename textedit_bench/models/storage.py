"""Our checkpoint format: safetensors with a header that describes the network of the tensors.

Header: ``format`` = "textedit_bench", ``kind`` (what the network is for), ``class`` ("module:ClassName" inside our
packages), ``config`` (JSON of the constructor settings), and whatever the writer adds. Tensors carry the names of
`state_dict`; a generator's centre of W is stored as ``latent_avg``. Half precision and 8-bit integers (see
`textedit_bench.models.state_dicts`) exist on disk only: networks are float32 in memory.

A class takes part by having a `config` property (plain JSON values) and a `from_config` class method, as those of
`StoredNetwork` have.
"""

from __future__ import annotations

import errno
import importlib
import inspect
import json
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from textedit_bench.errors import CheckpointError
from textedit_bench.files import write_atomically
from textedit_bench.models.state_dicts import Precision, pack, unpack

FORMAT = "textedit_bench"
_STRINGS = "__metadata__"
"""Name of a safetensors file's own strings in its header."""
OUR_PACKAGES = ("textedit_bench.", "textedit_methods.", "textedit_datasets.")
_BUILDERS: dict[str, Callable[[Mapping[str, Any]], nn.Module]] = {}


class StoredNetwork(nn.Module):
    """Network whose constructor arguments are attributes of the same names, so that a file can rebuild it."""

    @property
    def config(self) -> dict[str, Any]:
        """The constructor arguments, as plain JSON values."""
        values = {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}
        plain: dict[str, Any] = json.loads(json.dumps(values))
        return plain

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Inverse of `config`: the untrained network."""
        return cls(**config)


def register_kind(kind: str, builder: Callable[[Mapping[str, Any]], nn.Module]) -> None:
    """Register the function that builds networks of a kind from their config, for classes of plugins."""
    _BUILDERS[kind] = builder


def save_network(
    module: nn.Module,
    path: str | os.PathLike[str],
    kind: str,
    precision: Precision = "float32",
    extra_metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a network to `path` atomically.

    Args:
        module: network with a `config` property; buffers that its `extra_tensors` (stored name -> attribute) lists are
            stored in addition to its `state_dict`.
        path: target file.
        kind: what the network is for, such as "stylegan2-generator".
        precision: how floating-point tensors are stored; "int8" keeps small tensors and vectors in float16.
        extra_metadata: further header entries (strings).

    Raises:
        ValueError: the module has no `config`, or a value does not fit in float16.
    """
    config = getattr(module, "config", None)
    if not isinstance(config, Mapping):
        raise ValueError(f"{type(module).__name__} has no `config`; a stored network must be able to rebuild itself")
    tensors = {name: tensor.detach().cpu() for name, tensor in module.state_dict().items()}
    for stored, attribute in _extras(module).items():
        tensors[stored] = getattr(module, attribute).detach().cpu()
    metadata = {
        **(extra_metadata or {}),
        "format": FORMAT,
        "kind": kind,
        "class": f"{type(module).__module__}:{type(module).__qualname__}",
        "config": json.dumps(dict(config), sort_keys=True),
    }
    return write_tensors(tensors, path, metadata, precision)


def write_tensors(
    tensors: Mapping[str, Tensor],
    path: str | os.PathLike[str],
    metadata: Mapping[str, str],
    precision: Precision = "float32",
) -> Path:
    """Write named tensors and a header of strings as safetensors, atomically."""
    target = Path(path)
    packed = pack(tensors, precision)
    stored = {name: value.clone(memory_format=torch.contiguous_format) for name, value in packed.items()}
    target.parent.mkdir(parents=True, exist_ok=True)

    write_atomically(target, lambda temporary: save_tensors(stored, temporary, metadata))
    return target


def save_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write like the library's `save_file`, but atomically and with strings in a fixed order.

    The library orders them differently every time, and the digest of a method's weights is part of a cell's identity;
    older versions of it say nothing of a full disk.

    Raises:
        OSError: the disk is full.
    """
    try:
        save_file(dict(tensors), path, metadata=dict(metadata) if metadata else None)
        _finish(path)
    except BaseException:
        if path.is_file():  # a device stays
            path.unlink()
        raise


def _finish(path: Path) -> None:
    """Check that a safetensors file is complete, and sort the strings of its header."""
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        text = file.read(length)
        header = json.loads(text) if len(text) == length > 0 else {}
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name != _STRINGS]
        if not header or 8 + length + max(ends, default=0) != path.stat().st_size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        if _STRINGS in header:
            header[_STRINGS] = dict(sorted(header[_STRINGS].items()))
            ordered = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
            if len(ordered) <= length:  # spaces at the end are part of the format
                file.seek(8)
                file.write(ordered.ljust(length))


def is_safetensors(path: Path) -> bool:
    """Whether the file begins like safetensors: an 8-byte header length, then a JSON object."""
    with path.open("rb") as stream:
        head = stream.read(9)
    return len(head) == 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= path.stat().st_size - 8


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read tensors (converted to float32) and header of a safetensors file.

    Raises:
        CheckpointError: the file is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise CheckpointError(f"{path}: damaged or truncated safetensors file ({error})") from error
    return unpack(tensors), metadata


def build_network(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str], homes: Collection[str] = ()
) -> nn.Module:
    """Rebuild the network stored by `save_network`: eval mode, frozen parameters.

    Args:
        path: of the file, for messages.
        tensors: what it holds.
        metadata: its header.
        homes: modules whose classes are accepted besides those of our packages.

    Raises:
        CheckpointError: no header of ours, an unknown class, or tensors that do not fit it.
    """
    if metadata.get("format") != FORMAT:
        raise CheckpointError(f"{path}: a safetensors file without a textedit_bench header")
    kind = metadata.get("kind", "")
    try:
        config = json.loads(metadata["config"])
        network = (
            _BUILDERS[kind](config) if kind in _BUILDERS else _own_class(metadata["class"], homes).from_config(config)
        )
    except (KeyError, TypeError, ValueError, AttributeError, ImportError) as error:
        raise CheckpointError(f"{path}: cannot build a network of kind {kind!r}: {error}") from error
    state = dict(tensors)
    extras = {name: state.pop(name) for name in _extras(network) if name in state}
    from textedit_bench.models.state_dicts import load_exactly, refuse_not_finite

    load_exactly(network, state, source=str(path))
    refuse_not_finite(extras, str(path))
    for stored, tensor in extras.items():
        getattr(network, _extras(network)[stored]).copy_(tensor)
    return network.eval().requires_grad_(False)


def _extras(module: nn.Module) -> Mapping[str, str]:
    """Return stored name -> attribute of buffers that a class keeps outside its `state_dict` (its `extra_tensors`)."""
    return getattr(module, "extra_tensors", {})


def _own_class(name: str, homes: Collection[str]) -> Any:
    """Return the network class "module:ClassName", searched only in our packages and ``homes``."""
    module, _, attribute = name.partition(":")
    if not module.startswith(OUR_PACKAGES) and module not in homes:
        raise ImportError(f"class {name!r} is not one of ours; register its kind with register_kind")
    found = getattr(importlib.import_module(module), attribute)
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise TypeError(f"{name!r} is not a network class")
    return found
