"""An unpickler that executes nothing: a closed list of constructors, everything else is refused by name.

Pickles call whatever they name. Here names resolve to a fixed table of harmless functions of ours (tensors, arrays,
plain containers) or, for class names the caller declares inert, to objects that only remember what they were given.
"""

from __future__ import annotations

import argparse
import datetime
import io
import pathlib
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from textedit_bench.errors import CheckpointError, one_line


class InertObject:
    """Replaces an instance of a class that is not imported: keeps its name, arguments, state and items."""

    qualified_name = ""

    def __init__(self, *args: Any, **kwargs: Any):
        self.args, self.kwargs = args, kwargs
        self.state: Any = None
        self.items: list[Any] = []

    def __new__(cls, *_args: Any, **_kwargs: Any) -> InertObject:
        """Accept any arguments of the pickle; `__init__` may never be called."""
        self = super().__new__(cls)
        self.args, self.kwargs, self.state, self.items = (), {}, None, []
        return self

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items.append((key, value))

    def append(self, value: Any) -> None:
        """Append an item of a list-like class."""
        self.items.append(value)

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute of the pickled object."""
        return self.state.get(name, default) if isinstance(self.state, dict) else default


class PersistentNode:
    """A network or layer of an ada-pytorch pickle: class name and attributes, nothing executed."""

    def __init__(self, meta: dict[str, Any]):
        self.class_name = str(meta.get("class_name", ""))
        state = meta.get("state")
        self.state: dict[str, Any] = state if isinstance(state, dict) else {}

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.state = {**self.state, **state}

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute of the pickled module."""
        return self.state.get(name, default)


class PlainDict(dict):  # type: ignore[type-arg]
    """Dictionary in place of dnnlib's EasyDict."""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.update(state)


def _load_from_bytes(data: bytes) -> Any:
    return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)


def _plain_dtype(*args: Any) -> np.dtype[Any]:
    dtype = np.dtype(*args)
    if dtype.hasobject:
        raise pickle.UnpicklingError("an array of Python objects")
    return dtype


def _empty_array(*_args: Any) -> np.ndarray[Any, Any]:
    """Return an empty array, from which numpy's array rebuilder starts; its content follows as state."""
    return np.ndarray((0,), dtype=np.int8)


def _scalar(dtype: np.dtype[Any], data: bytes | str) -> Any:
    raw = data.encode("latin1") if isinstance(data, str) else bytes(data)
    return np.frombuffer(raw, dtype=dtype, count=1)[0]


def _from_buffer(buffer: Any, dtype: np.dtype[Any], shape: tuple[int, ...], order: str, *_rest: Any) -> Any:
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order="F" if order == "F" else "C")


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding.replace("-", "").lower() not in ("latin1", "ascii", "utf8"):
        raise pickle.UnpicklingError(f"the text encoding {encoding!r}")
    return text.encode(encoding)


def _parameter(data: Tensor, *_rest: Any) -> Tensor:
    return data.detach()


def _tensor(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_rest: Any) -> Tensor:
    return torch._utils._rebuild_tensor(storage, offset, size, stride)


ALLOWED: dict[str, Callable[..., Any]] = {
    "torch_utils.persistence._reconstruct_persistent_obj": PersistentNode,
    "torch.storage._load_from_bytes": _load_from_bytes,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "collections.OrderedDict": OrderedDict,
    "dnnlib.util.EasyDict": PlainDict,
    "dnnlib.EasyDict": PlainDict,
    "numpy.dtype": _plain_dtype,
    "numpy.ndarray": np.ndarray,
    "_codecs.encode": _encode,
    "builtins.set": set,
    "__builtin__.set": set,
}
for _package in ("numpy.core.multiarray", "numpy._core.multiarray"):
    ALLOWED[f"{_package}.scalar"] = _scalar
    ALLOWED[f"{_package}._reconstruct"] = _empty_array
for _package in ("numpy.core.numeric", "numpy._core.numeric"):
    ALLOWED[f"{_package}._frombuffer"] = _from_buffer


class RestrictedUnpickler(pickle.Unpickler):
    """Unpickles only `ALLOWED` constructors and inert replacements.

    Args:
        stream: the pickle.
        source: file name for messages.
        inert: module prefixes whose classes become `InertObject` subclasses.
        extra: further names and what they resolve to.
        storage: resolves references to data outside the pickle (tensor bytes of an archive).
        allowed: names and what they resolve to; none for a pickle of plain values.
    """

    def __init__(
        self,
        stream: IO[bytes],
        source: str,
        inert: Iterable[str] = (),
        extra: Mapping[str, Any] | None = None,
        storage: Callable[[Any], Any] | None = None,
        allowed: Mapping[str, Any] = ALLOWED,
    ):
        super().__init__(stream, encoding="latin1")
        self.source = source
        self.inert = tuple(inert)
        self.allowed = {**allowed, **(extra or {})}
        self.storage = storage

    def persistent_load(self, pid: Any) -> Any:
        """Load data stored outside the pickle."""
        if self.storage is None:
            raise CheckpointError(f"{self.source}: refers to data outside the pickle")
        return self.storage(pid)

    def find_class(self, module: str, name: str) -> Any:
        """Return the constructor or replacement of a global.

        Raises:
            CheckpointError: the name is on no list.
        """
        full = f"{module}.{name}"
        if full in self.allowed:
            return self.allowed[full]
        if self.inert and full.startswith(self.inert):
            return type(name, (InertObject,), {"qualified_name": full})
        raise CheckpointError(
            f"{self.source}: refused: the pickle asks for {full}, which is not on the list of harmless names; "
            "nothing of it was executed. Weights alone are read: a state dict"
        )


def read_pickle(
    stream: IO[bytes],
    source: str,
    inert: Iterable[str] = (),
    extra: Mapping[str, Any] | None = None,
    storage: Callable[[Any], Any] | None = None,
    allowed: Mapping[str, Any] = ALLOWED,
) -> Any:
    """Read a pickle of tensors and plain containers; the arguments are those of `RestrictedUnpickler`.

    Raises:
        CheckpointError: a name outside the list, or a damaged or truncated pickle.
    """
    try:
        return RestrictedUnpickler(stream, source, inert, extra, storage, allowed).load()
    except CheckpointError:
        raise
    except Exception as error:  # a pickle can fail in any way its bytes say
        raise CheckpointError(f"{source}: damaged, truncated or unsupported pickle ({one_line(error)})") from error


INERT = ("omegaconf.", "typing.", "ml_collections.", "hydra.", "enum.")
"""Libraries whose objects only remember what they were given."""


def _path(*parts: str) -> str:
    """Return a path as text, since paths of another operating system cannot be created here."""
    return str(pathlib.PurePosixPath(*parts))


def _empty(*_given: Any) -> PlainDict:
    """Return a dictionary whose items follow, without its factory of missing items."""
    return PlainDict()


HARMLESS: dict[str, Callable[..., Any]] = {
    "argparse.Namespace": argparse.Namespace,
    "collections.defaultdict": _empty,
    "collections.Counter": _empty,
    "torch.Size": tuple,
    "torch.device": lambda *given: ":".join(map(str, given)),
    **{f"datetime.{kind.__name__}": kind for kind in (datetime.datetime, datetime.date, datetime.timedelta)},
    **dict.fromkeys(("easydict.EasyDict", "addict.addict.Dict", "munch.Munch", "yacs.config.CfgNode"), PlainDict),
}
for _module in ("builtins", "__builtin__"):  # the second in the protocol that PyTorch writes
    for _plain in (int, float, str, bool, list, dict, tuple, complex, frozenset):
        HARMLESS[f"{_module}.{_plain.__name__}"] = _plain
for _module in ("pathlib", "pathlib._local"):
    for _kind in ("Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath"):
        HARMLESS[f"{_module}.{_kind}"] = _path
NAMED: dict[str, Any] = {
    f"torch.{dtype}".replace("torch.torch.", "torch."): dtype
    for dtype in vars(torch).values()
    if isinstance(dtype, torch.dtype)
}
"""Values that are stored by name alone."""
