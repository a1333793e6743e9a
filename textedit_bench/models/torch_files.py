"""Files as PyTorch writes them, read without executing anything; what a file is follows from its first bytes."""

from __future__ import annotations

import argparse
import pickle
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from textedit_bench.models.errors import CheckpointError
from textedit_bench.models.pickles import InertObject, read_pickle
from textedit_bench.models.storage import is_safetensors

LEGACY_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
STORAGES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


def torch_file_kind(path: Path) -> str:
    """The kind by content: "safetensors", "torch", "torchscript" or "pickle".

    Raises:
        CheckpointError: missing, empty, a web page, a truncated archive, or none of these formats.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    with path.open("rb") as stream:
        head = stream.read(512)
    if not head:
        raise CheckpointError(f"{path}: the file is empty")
    if re.match(rb"\s*<(!doctype|html|\?xml|head|body)", head, re.IGNORECASE):
        raise CheckpointError(
            f"{path}: a web page, not weights (file hosts answer with one when a quota or a virus scan is in the way)"
        )
    if is_safetensors(path):
        return "safetensors"
    if head[:2] == b"PK":
        return _archive_kind(path)
    if head.startswith(LEGACY_TORCH):
        return "torch"
    if re.match(rb"\x80[\x02-\x05]", head):
        return "pickle"
    raise CheckpointError(f"{path}: not a weights file in any known format (begins with {head[:8]!r})")


def _archive_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError) as error:
        raise CheckpointError(f"{path}: damaged or truncated archive ({error})") from error
    if not any(name.endswith("data.pkl") for name in names):
        raise CheckpointError(f"{path}: a zip archive, but not one written by PyTorch")
    return "torchscript" if any("/code/" in name for name in names) else "torch"


def read_torch_file(path: Path) -> Any:
    """Content of a `torch.save` file, on the CPU, by a weights-only load (argparse settings are allowed in addition).

    Raises:
        CheckpointError: damaged, or asking for a name that is not allowed.
    """
    try:
        with _allowed(argparse.Namespace):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        offending = re.search(r"GLOBAL ([\w.]+)", str(error))
        if offending:
            raise CheckpointError(
                f"{path}: refused: the file asks for {offending[1]}, which a weights-only load does not allow; "
                "nothing of it was executed"
            ) from error
        raise CheckpointError(f"{path}: damaged, truncated or not plain weights ({_first_line(error)})") from error
    except Exception as error:  # a pickle can fail in any way its bytes say
        raise CheckpointError(f"{path}: damaged or truncated ({_first_line(error)})") from error


@contextmanager
def _allowed(*classes: type) -> Iterator[None]:
    """Let weights-only loads build these classes meanwhile (``safe_globals``, which torch has from 2.5 on)."""
    before = torch.serialization.get_safe_globals()
    torch.serialization.add_safe_globals(list(classes))
    try:
        yield
    finally:
        torch.serialization.clear_safe_globals()
        torch.serialization.add_safe_globals(before)


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """State dict of a TorchScript archive such as OpenAI's CLIP files; its code is not compiled.

    Raises:
        CheckpointError: damaged, or the archive's pickle asks for something outside the list.
    """
    root = read_archive(path, inert=("__torch__.",))
    if not isinstance(root, InertObject):
        raise CheckpointError(f"{path}: a TorchScript archive without a module")
    state: dict[str, Tensor] = {}
    _collect(root, "", state)
    return state


def _collect(module: InertObject, prefix: str, state: dict[str, Tensor]) -> None:
    for name, value in (module.state or {}).items():
        if isinstance(value, Tensor):
            state[prefix + name] = value
        elif isinstance(value, InertObject):
            _collect(value, f"{prefix}{name}.", state)


def read_archive(path: Path, inert: tuple[str, ...] = ()) -> Any:
    """Content of a PyTorch zip archive through the restricted unpickler, classes under `inert` as inert objects.

    For files whose settings are objects of a library (one released checkpoint keeps OmegaConf internals): tensors come
    out, classes do not.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            pickle_name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            folder = pickle_name[: -len("data.pkl")]
            cache: dict[str, Tensor] = {}

            def storage(reference: Any) -> Any:
                _tag, dtype, key, _location, _count = reference
                if key not in cache:
                    raw = bytearray(archive.read(f"{folder}data/{key}"))
                    cache[key] = torch.frombuffer(raw, dtype=dtype) if raw else torch.empty(0, dtype=dtype)
                return cache[key].untyped_storage(), dtype

            extra: dict[str, Any] = {f"torch.{name}": dtype for name, dtype in STORAGES.items()}
            extra["torch._utils._rebuild_tensor_v2"] = _rebuild
            extra |= {f"torch.jit._pickle.build_{kind}list": list for kind in ("int", "double", "bool", "tensor")}
            with archive.open(pickle_name) as stream:
                return read_pickle(stream, str(path), inert=inert, extra=extra, storage=storage)
    except (zipfile.BadZipFile, StopIteration, KeyError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or truncated archive ({_first_line(error)})") from error


def _rebuild(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_rest: Any) -> Tensor:
    data, dtype = storage
    return torch.empty(0, dtype=dtype).set_(data, offset, tuple(size), tuple(stride))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
