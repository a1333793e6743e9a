"""Read PyTorch files without executing anything; the kind of a file is detected from its first bytes."""

from __future__ import annotations

import pickle
import re
import shlex
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from textedit_bench.errors import CheckpointError
from textedit_bench.models.pickles import HARMLESS, INERT, NAMED, InertObject, read_pickle
from textedit_bench.models.state_dicts import plain_names
from textedit_bench.models.storage import is_safetensors

LEGACY_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_MAGIC = 0x1950A86A20F9469CFC6C
"""First pickle of such a file, whatever its protocol."""
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
    """Detect the kind from the content: "safetensors", "torch", "torchscript" or "pickle".

    Raises:
        CheckpointError: missing, empty, a web page, a truncated archive, or none of these formats.
    """
    if path.is_dir():
        raise CheckpointError(_folder_in_words(path))
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    with path.open("rb") as stream:
        head = stream.read(512)
    if not head:
        raise CheckpointError(f"{path}: the file is empty")
    if is_safetensors(path):
        return "safetensors"
    if head[:2] == b"PK":
        return _archive_kind(path)
    if head.startswith(LEGACY_TORCH):
        return "torch"
    if re.match(rb"\x80[\x02-\x05]", head):
        return "pickle"
    raise CheckpointError(f"{path}: {named(head)}")


def _folder_in_words(folder: Path) -> str:
    """Explain why a folder is wrong in place of a file, and what to do about it."""
    inside = next((found.parent for found in (*folder.glob("data.pkl"), *folder.glob("*/data.pkl"))), None)
    if inside is None:
        return f"{folder}: is a folder, not a file of weights"
    packed = shlex.quote(f"{folder.name}.packed.pt")
    pack = (
        f"cd {shlex.quote(str(inside.absolute().parent))} && zip -r -0 {packed} {shlex.quote(inside.absolute().name)}"
    )
    return f"{folder}: is a file of PyTorch that was unpacked, as browsers and file managers do; pack it again: {pack}"


def _archive_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names, unlike = archive.namelist(), named_archive(archive)
    except (zipfile.BadZipFile, OSError) as error:
        raise CheckpointError(f"{path}: damaged or truncated archive ({error})") from error
    if not any(name.endswith("data.pkl") for name in names):
        raise CheckpointError(f"{path}: {unlike}")
    return "torchscript" if any("/code/" in name for name in names) else "torch"


def read_torch_file(path: Path) -> Any:
    """Read a `torch.save` file to the CPU by a weights-only load.

    If settings stored with the tensors need more than that allows, the restricted unpickler reads them: as plain
    values, or as objects that only remember what they were given.

    Raises:
        CheckpointError: damaged, or asking for a name that is not allowed.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not re.search(r"GLOBAL|[Uu]nsupported (global|class|operand)", str(error)):
            raise CheckpointError(f"{path}: damaged, truncated or not plain weights ({_first_line(error)})") from error
        read = read_archive if zipfile.is_zipfile(path) else read_legacy
        return read(path, INERT, {**HARMLESS, **NAMED})
    except Exception as error:  # a pickle can fail in any way its bytes say
        raise CheckpointError(f"{path}: damaged or truncated ({_first_line(error)})") from error


def read_torchscript(path: Path) -> dict[str, Tensor]:
    """Read the state dict of a TorchScript archive such as OpenAI's CLIP files; its code is not compiled.

    Raises:
        CheckpointError: damaged, or the archive's pickle asks for something outside the list.
    """
    root = read_archive(path, inert=("__torch__.",))
    if not isinstance(root, InertObject):
        raise CheckpointError(f"{path}: a TorchScript archive without a module")
    state: dict[str, Tensor] = {}
    _collect(root, "", state)
    return state


def read_named(path: Path, whose: str) -> dict[str, Any]:
    """Read the named values of a method trainer's file, its ``state_dict`` if any, under their plain names.

    Args:
        path: a file as PyTorch writes it.
        whose: what writes such files, for the message.

    Raises:
        CheckpointError: the file cannot be read, is of another kind, or holds no names.
    """
    kind = torch_file_kind(path)
    if kind not in ("torch", "pickle"):
        raise CheckpointError(f"{path}: not a checkpoint that {whose} writes")
    plain = kind == "pickle" and not _is_legacy(path)
    content = read_pickle_file(path) if plain else read_torch_file(path)
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path}: expected named tensors, found a {type(content).__name__}")
    return plain_names(content)


def read_pickle_file(path: Path) -> Any:
    """Read a bare pickle, as other frameworks write arrays.

    Raises:
        CheckpointError: damaged, or it asks for a name outside the list.
    """
    with path.open("rb") as stream:
        return read_pickle(stream, str(path))


def _is_legacy(path: Path) -> bool:
    """Whether a pickle is PyTorch's legacy format: its first object is the magic number."""
    try:
        return bool(read_pickle_file(path) == _MAGIC)
    except CheckpointError:
        return False


def _collect(module: InertObject, prefix: str, state: dict[str, Tensor]) -> None:
    for name, value in (module.state or {}).items():
        if isinstance(value, Tensor):
            state[prefix + name] = value
        elif isinstance(value, InertObject):
            _collect(value, f"{prefix}{name}.", state)


def read_archive(path: Path, inert: tuple[str, ...] = (), harmless: Mapping[str, Any] | None = None) -> Any:
    """Read a PyTorch zip archive through the restricted unpickler.

    For files whose settings are objects of a library (one released checkpoint keeps OmegaConf internals): tensors come
    out, classes do not.

    Args:
        path: the file.
        inert: prefixes of names whose objects only remember what they were given.
        harmless: what further names stand for.
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

            extra = _extra(harmless)
            extra |= {f"torch.jit._pickle.build_{kind}list": list for kind in ("int", "double", "bool", "tensor")}
            with archive.open(pickle_name) as stream:
                return read_pickle(stream, str(path), inert=inert, extra=extra, storage=storage)
    except (zipfile.BadZipFile, StopIteration, KeyError, OSError) as error:
        raise CheckpointError(f"{path}: damaged or truncated archive ({_first_line(error)})") from error


def read_legacy(path: Path, inert: tuple[str, ...] = (), harmless: Mapping[str, Any] | None = None) -> Any:
    """Read a `torch.save` file of before version 1.6: pickles, then the bytes of every storage."""
    size = path.stat().st_size
    stored: dict[str, Tensor] = {}

    def storage(reference: Any) -> Any:
        _tag, dtype, key, _location, count, *_view = reference
        if key not in stored:
            if count * dtype.itemsize > size:
                raise CheckpointError(f"{path}: damaged or truncated (a storage of {count} numbers)")
            stored[key] = torch.empty(count, dtype=dtype)
        return stored[key].untyped_storage(), dtype

    try:
        with path.open("rb") as stream:
            for _ in range(3):  # magic number, version, system
                read_pickle(stream, str(path))
            content = read_pickle(stream, str(path), inert=inert, extra=_extra(harmless), storage=storage)
            for key in read_pickle(stream, str(path)):
                values = stored[key]
                raw = stream.read(8 + values.nbytes)[8:]
                values.copy_(torch.frombuffer(bytearray(raw), dtype=values.dtype) if raw else values)
    except CheckpointError:
        raise
    except Exception as error:  # a damaged file fails in as many ways as there are instructions
        raise CheckpointError(f"{path}: damaged or truncated ({_first_line(error)})") from error
    return content


def _extra(harmless: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return names that PyTorch's own files need, and further ones."""
    storages = {f"torch.{name}": dtype for name, dtype in STORAGES.items()}
    return {**(harmless or {}), **storages, "torch._utils._rebuild_tensor_v2": _rebuild}


def _rebuild(storage: Any, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_rest: Any) -> Tensor:
    data, dtype = storage
    return torch.empty(0, dtype=dtype).set_(data, offset, tuple(size), tuple(stride))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


_PAGE = "a web page, not weights (file hosts answer with one when a quota or a virus scan is in the way)"
_LFS = "a Git LFS pointer, not the file; 'git lfs pull' fetches it"
_BEGINNINGS = {
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"BZh": "a bzip2 archive; unpack it first",
    b"\xfd7zXZ": "an xz archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it first",
    b"\x89HDF": "an HDF5 file, as Keras writes; weights of PyTorch are read",
    b"\x93NUMPY": "an array of numpy; weights of PyTorch are read",
    b"{": "JSON, such as the index of a checkpoint in several files; name the file of weights itself",
    b"version https://git-lfs": _LFS,
}


def named(head: bytes) -> str:
    """Identify a file by its first bytes."""
    if re.match(rb"\s*<(!doctype|html|\?xml|head|body)", head, re.IGNORECASE):
        return _PAGE
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it first"
    known = next((words for beginning, words in _BEGINNINGS.items() if head.startswith(beginning)), None)
    return known or f"not a weights file in any known format (begins with {head[:8]!r})"


def named_archive(archive: zipfile.ZipFile) -> str:
    """Identify a zip that PyTorch did not write."""
    inside = [
        name
        for name in archive.namelist()
        if Path(name).suffix in (".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".safetensors")
    ]
    if inside:
        return f"a zip archive that holds {inside[0]}; unpack it first"
    return "a zip archive, but not one written by PyTorch"
