"""Refuse networks of one data set that do not fit each other or their role; the error names both sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from textedit_bench.models.errors import CheckpointError

_OFFERS = {"encoder": "encode", "parser": "hair", "oracle": "predict", "second_oracle": "predict"}
_OTHERS = ("synthesize", "encode", "encode_image", "predict")
"""Attributes that identify networks of roles other than processing pictures."""


def check_role(network: Any, role: str, resolution: int, path: Path) -> None:
    """Refuse a network in a role that it cannot serve.

    Args:
        network: as loaded.
        role: of the card.
        resolution: side of the data set's pictures.
        path: its file.

    Raises:
        CheckpointError: a generator or discriminator of another resolution, or a network of another kind.
    """
    side = getattr(network, "resolution", None)
    if role in ("generator", "discriminator") and side is not None and side != resolution:
        raise CheckpointError(f"{path}: a {role} of {side} pixels, but the card says resolution: {resolution}")
    wrong = [name for name in _OTHERS if hasattr(network, name)] if role in ("perceptual", "features") else []
    if wrong or not hasattr(network, _OFFERS.get(role, "forward")):
        raise CheckpointError(f"{path}: holds a {type(network).__name__}, which cannot be the {role} of a data set")


def codes_fit(codes: Tensor, generator: Any) -> bool:
    """Whether a generator accepts codes [N, rows, w_dim]; assumed for one of unknown sizes."""
    sizes = [getattr(generator, name, None) for name in ("num_rows", "w_dim")]
    return None in sizes or (codes.ndim == 3 and list(codes.shape[1:]) == sizes)


def misfit(codes: Tensor, generator: Any, encoded_by: str, path: Path) -> CheckpointError:
    """Describe codes that a generator does not accept.

    Args:
        codes: W+ codes of photos.
        generator: which was to draw them.
        encoded_by: what gave the codes, with its file.
        path: the generator's file.
    """
    given = " x ".join(map(str, codes.shape[1:]))
    return CheckpointError(
        f"{encoded_by}: gives codes of {given} (rows x width), but the generator {path} takes "
        f"{int(generator.num_rows)} x {int(generator.w_dim)}, for {generator.resolution} pixels; they do not belong "
        f"together"
    )
