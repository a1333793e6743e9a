"""The public loaders: a path in, a ready network out (eval mode, float32, parameters frozen)."""

from __future__ import annotations

import os
from pathlib import Path

from torch import nn

from textedit_bench.models.clip import ClipModel
from textedit_bench.models.discriminator import Discriminator
from textedit_bench.models.errors import CheckpointError
from textedit_bench.models.storage import build_network, is_safetensors, read_tensors
from textedit_bench.models.stylegan2 import Generator


def load_own(path: str | os.PathLike[str]) -> nn.Module:
    """Any network stored by `save_network`."""
    file = Path(path)
    if not file.is_file():
        raise CheckpointError(f"{file}: no such file")
    if not is_safetensors(file):
        raise CheckpointError(f"{file}: not a safetensors file")
    return build_network(file, *read_tensors(file))


def load_generator(path: str | os.PathLike[str]) -> Generator:
    """A StyleGAN2 generator."""
    network = load_own(path)
    if not isinstance(network, Generator):
        raise CheckpointError(f"{path}: holds a {type(network).__name__}, not a generator")
    return network


def load_discriminator(path: str | os.PathLike[str]) -> Discriminator:
    """A StyleGAN2 discriminator."""
    network = load_own(path)
    if not isinstance(network, Discriminator):
        raise CheckpointError(f"{path}: holds a {type(network).__name__}, not a discriminator")
    return network


def load_encoder(path: str | os.PathLike[str]) -> nn.Module:
    """An encoder: `.encode(images)` -> W+ [B, rows, w_dim]."""
    return _with_method(load_own(path), "encode", path)


def load_identity(path: str | os.PathLike[str]) -> nn.Module:
    """An identity network: `.embed(images)` -> unit vectors [B, d]."""
    return _with_method(load_own(path), "embed", path)


def load_clip(path_or_name: str | os.PathLike[str], architecture: str | None = None) -> ClipModel:
    """A CLIP: `.encode_image(images)`, `.encode_text(sentences)`; see `clip_loading.load_clip` for what is accepted."""
    from textedit_bench.models import clip_loading  # open_clip takes seconds to import

    return clip_loading.load_clip(path_or_name, architecture)


def _with_method(network: nn.Module, method: str, path: str | os.PathLike[str]) -> nn.Module:
    if not callable(getattr(network, method, None)):
        raise CheckpointError(f"{path}: holds a {type(network).__name__}, which has no `{method}`")
    return network
