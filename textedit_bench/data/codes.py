"""Read latent codes in place of photos, or sample them from the generator."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from textedit_bench.errors import UserError, one_line

if TYPE_CHECKING:
    from textedit_bench.models.stylegan2 import Generator

_EXPECTED = (
    "expected W+ codes [N, rows, w_dim], or W codes [N, w_dim], in one tensor of a .pt, .npy, .npz or .safetensors"
)
_WHOLE = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
NUMBERS = ("float16", "float32", "float64", "bfloat16", *_WHOLE)
"""Types that become float32, in either byte order."""


class StoredCodes:
    """Codes of a file, read on demand: ``train_faces.pt``, ``w_plus.npy`` and similar.

    Args:
        path: the file; its extension determines the format.
        rows: W+ rows of the generator they are for.
        w_dim: its width.

    Raises:
        UserError: it cannot be read, or holds something else.
    """

    def __init__(self, path: Path, rows: int, w_dim: int) -> None:
        self.path, self.rows, self.w_dim = path, rows, w_dim
        self._codes = _open(path)
        shape = tuple(self._codes.shape)
        if shape == (rows, w_dim):
            raise UserError(
                f"source {path}: codes {list(shape)} are one code of every row, or {rows} W codes; valid: "
                f"[1, {rows}, {w_dim}], or [{rows}, 1, {w_dim}]"
            )
        if shape[1:] not in ((rows, w_dim), (1, w_dim), (w_dim,)):
            raise UserError(f"source {path}: codes {list(shape)}, but the generator takes [N, {rows}, {w_dim}]")
        empty = self._codes[:0]
        dtype = empty.dtype.name if isinstance(empty, np.ndarray) else str(empty.dtype).removeprefix("torch.")
        if dtype not in NUMBERS:
            raise UserError(f"source {path}: holds {dtype}; valid: {', '.join(NUMBERS)}")

    def __len__(self) -> int:
        return int(self._codes.shape[0])

    def read(self, start: int, count: int) -> Tensor:
        """Read W+ codes [count, rows, w_dim] float32 from number ``start``; W codes are repeated for all rows.

        Raises:
            UserError: some are not finite.
        """
        part = self._codes[start : start + count]
        if isinstance(part, np.ndarray):
            with np.errstate(over="ignore"):  # values beyond float32 become infinite, and are refused below
                codes = torch.from_numpy(np.array(part, np.float32))
        else:
            codes = part.detach().float()
        if codes.ndim == 2 or codes.shape[1] == 1:
            codes = codes.reshape(-1, 1, self.w_dim).repeat(1, self.rows, 1)
        if not torch.isfinite(codes).all():
            bad = int((~torch.isfinite(codes).flatten(1).all(1)).nonzero()[0]) + start
            raise UserError(f"source {self.path}: code {bad} holds numbers that are not finite")
        return codes


def count_codes(path: Path) -> int:
    """Count the codes of a file, for any generator.

    Raises:
        UserError: it cannot be read, or holds something else.
    """
    shape = tuple(_open(path).shape)
    if not shape:
        raise UserError(f"source {path}: holds a single number; {_EXPECTED}")
    return int(shape[0])


def _open(path: Path) -> Any:
    if not path.is_file():
        raise UserError(f"source {path}: there is no such file; {_EXPECTED}")
    try:
        return _stored(path)
    except UserError:
        raise
    except Exception as error:  # three libraries with different errors for damaged files
        raise UserError(f"source {path}: cannot be read ({one_line(error)}); {_EXPECTED}") from error


def _stored(path: Path) -> Any:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return np.load(path, mmap_mode="r", allow_pickle=False)
    if suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return arrays[_only(arrays.files, path)]
    if suffix == ".safetensors":
        from safetensors import safe_open

        # The file stays open as long as the codes are needed.
        file = safe_open(path, framework="pt").__enter__()
        return _Slice(file.get_slice(_only(list(file.keys()), path)))
    if suffix in (".pt", ".pth"):
        content = _load(path)
        if isinstance(content, dict):
            content = content[_only([k for k, v in content.items() if isinstance(v, Tensor)], path)]
        if not isinstance(content, Tensor):
            raise UserError(f"source {path}: holds a {type(content).__name__}; {_EXPECTED}")
        if content.layout is not torch.strided or content.is_nested or content.is_meta:
            raise UserError(f"source {path}: holds a sparse, nested or empty tensor; {_EXPECTED}")
        return content
    raise UserError(f"source {path}: unknown ending {path.suffix!r}; {_EXPECTED}")


def _load(path: Path) -> Any:
    """Load the tensors of a torch file."""
    with path.open("rb") as file:
        mapped = file.read(4) == b"PK\x03\x04"  # since torch 1.6; older files can only be read whole
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:
        # torch's message recommends disabling its protection.
        if isinstance(error, pickle.UnpicklingError) or "weights_only" in str(error):
            why = "damaged, or more than tensors, whose reading could run code"
            raise UserError(f"source {path}: cannot be read ({why}); {_EXPECTED}") from error
        raise


class _Slice:
    """A stored tensor that is read slice by slice."""

    def __init__(self, stored: Any) -> None:
        self._stored, self.shape = stored, tuple(stored.get_shape())

    def __getitem__(self, index: slice) -> Tensor:
        part: Tensor = self._stored[index]
        return part


def _only(names: list[str], path: Path) -> str:
    if len(names) != 1:
        raise UserError(f"source {path}: holds {len(names)} tensors; {_EXPECTED}")
    return names[0]


def draw_codes(generator: Generator, split: str, numbers: Sequence[int], *, truncation: float, seed: int) -> Tensor:
    """Sample W+ codes [N, rows, w_dim]; each depends only on seed, split and number.

    Args:
        generator: provides ``z_dim``, ``num_rows``, ``map`` and ``w_mean``.
        split: samples of different splits are different.
        numbers: numbers of the samples.
        truncation: factor of the difference from the mean of W.
        seed: of all samples.
    """
    rows = []
    for number in numbers:
        digest = hashlib.sha256(f"{seed}|{split}|{number}".encode()).digest()
        stream = torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)
        rows.append(torch.randn(generator.z_dim, generator=stream))
    z = torch.stack(rows).to(generator.w_mean)
    # One at a time: the last digits of results depend on the batch size.
    w = torch.cat([generator.map(row.unsqueeze(0), truncation=truncation) for row in z])
    return w.unsqueeze(1).repeat(1, int(generator.num_rows), 1)
