"""Cache the codes of inverted photos: once per photo and inverter, shared by all data sets.

``<folder>/<inverter>/<2 hex digits>/<photo>.npz``, where both names are digests of content: of the inverter's
identity (networks, settings, version) and of the photo's pixels as given to the inverter. Files are written atomically,
so any number of processes may work on one folder, a killed one can resume, and at worst two of them do the same work
twice.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from textedit_bench.data.pixels import Pixels
from textedit_bench.files import PlaceError, remove_left_over, reraise_write_errors, write_atomically, write_json

VERSION = 1
log = logging.getLogger(__name__)


class InversionCache:
    """The stored codes of one inverter.

    Args:
        folder: folder of the caches of all inverters.
        identity: everything that determines the codes of a photo, as plain JSON values.
        shape: rows and w_dim of the generator.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], shape: tuple[int, int]) -> None:
        self._shape = shape
        self._opened: set[Path] = set()
        self._told = False
        self._unlike: dict[str, str] = {}
        self.identity = {"version": VERSION, **identity}
        text = json.dumps(self.identity, sort_keys=True, allow_nan=False)
        self.path = folder / hashlib.sha256(text.encode()).hexdigest()[:16]

    @staticmethod
    def key(pixels: Pixels) -> str:
        """Return the digest of a photo's pixels, 8-bit [H, W, 3]."""
        return hashlib.sha256(f"{pixels.shape}".encode() + np.ascontiguousarray(pixels).tobytes()).hexdigest()

    def get(self, key: str) -> Tensor | None:
        """Return the W+ codes [rows, w_dim] of a photo, or None if there are no valid ones."""
        path = self._file(key)
        try:
            with np.load(path, allow_pickle=False) as stored:  # a zip, which checks its CRC
                codes = stored["w_plus"]
            if codes.ndim != len(self._shape) or codes.dtype != np.float32 or not np.isfinite(codes).all():
                raise ValueError(f"{codes.dtype} codes {list(codes.shape)}, expected finite {list(self._shape)}")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            log.warning("%s: damaged (%s); the photo is inverted again", path, error)
            return None
        if codes.shape != self._shape:  # possibly the inverter's shape, but not the generator's, which will report it
            self._unlike[key] = f"{list(codes.shape)} codes, expected {list(self._shape)}"
            return None
        return torch.from_numpy(codes)

    def put(self, key: str, codes: Tensor) -> None:
        """Store the W+ codes [rows, w_dim] of a photo.

        Raises:
            PlaceError: they cannot be written.
        """
        path = self._file(key)

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                np.savez(file, w_plus=codes.float().cpu().numpy())

        with reraise_write_errors(path):
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
                write_json(self.path / "identity.json", self.identity)  # for readers: the folder's name is a digest
            write_atomically(path, write)

    def _try_to_put(self, key: str, codes: Tensor, must: bool) -> None:
        """Store codes; if that fails and is optional, they are computed again the next time."""
        try:
            self.put(key, codes)
        except PlaceError as error:
            if must:
                raise
            if not self._told:
                log.warning("codes of photos are not kept: %s", error)
            self._told = True

    def invert(
        self, pixels: Pixels, invert: Callable[[Pixels], Tensor], batch_size: int, *, must_keep: bool = False
    ) -> tuple[Tensor, int]:
        """Return codes of photos, from the cache if present.

        Args:
            pixels: 8-bit [N, H, W, 3].
            invert: photos, 8-bit [B, H, W, 3] -> W+ [B, rows, w_dim].
            batch_size: photos given to ``invert`` at once; each batch is stored when it is done.
            must_keep: raise an error if codes cannot be stored, instead of a warning.

        Returns:
            W+ [N, rows, w_dim] on the CPU, and the number of photos that were inverted.

        Raises:
            ValueError: the inverter returned codes that are not finite.
            PlaceError: they must be stored and cannot be.
        """
        keys = [self.key(picture) for picture in pixels]
        found = {key: codes for key in dict.fromkeys(keys) if (codes := self.get(key)) is not None}
        todo = {key: index for index, key in reversed(list(enumerate(keys))) if key not in found}
        order = sorted(todo, key=todo.__getitem__)
        for start in range(0, len(order), batch_size):
            part = order[start : start + batch_size]
            codes = invert(pixels[[todo[key] for key in part]]).detach().float().cpu()
            if not torch.isfinite(codes).all():
                raise ValueError("the inverter returned codes that are not finite")
            for key, code in zip(part, codes, strict=True):
                found[key] = code
                if key in self._unlike:
                    what = self._unlike.pop(key)
                    log.warning("%s: damaged (%s); the photo was inverted again", self._file(key), what)
                self._try_to_put(key, code, must_keep)
        return torch.stack([found[key] for key in keys]), len(order)

    def _file(self, key: str) -> Path:
        shard = self.path / key[:2]
        if shard not in self._opened:
            self._opened.add(shard)
            remove_left_over(shard)
        return shard / f"{key}.npz"
