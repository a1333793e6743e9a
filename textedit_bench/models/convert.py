"""Convert official checkpoints to our safetensors."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from torch import nn

from textedit_bench.errors import CheckpointError
from textedit_bench.models.building import (
    build_discriminator,
    build_encoder,
    build_generator,
    build_identity,
    build_parser,
)
from textedit_bench.models.checkpoint import Checkpoint, read_checkpoint
from textedit_bench.models.storage import save_network

BUILDERS: dict[str, tuple[str, Callable[[Checkpoint], nn.Module]]] = {  # the first one a file holds is its main network
    "encoder": ("style-encoder", build_encoder),
    "generator": ("stylegan2-generator", build_generator),
    "discriminator": ("stylegan2-discriminator", build_discriminator),
    "identity": ("identity-arcface", build_identity),
    "moco": ("similarity-moco", build_identity),
    "parser": ("face-parser", build_parser),
}


def convert(source: str | os.PathLike[str], target: str | os.PathLike[str], half: bool = False) -> list[Path]:
    """Write every network of an official checkpoint as a file of ours.

    Args:
        source: any file the loaders read.
        target: file for the main network (the encoder of an e4e file, the generator of a GAN); further networks go
        beside
            it as `<stem>.<network>.safetensors`.
        half: store float16.

    Returns:
        The files written, the main one first.

    Raises:
        CheckpointError: the source cannot be read, or is one of ours already.
    """
    checkpoint = read_checkpoint(source)
    if checkpoint.format == "ours":
        raise CheckpointError(f"{source}: is in our format already ({checkpoint.metadata.get('kind')})")
    found = [name for name in BUILDERS if name in checkpoint.networks]
    if not found:
        raise CheckpointError(f"{source}: holds no network that can be converted")
    main = Path(target)
    written: list[Path] = []
    for name in found:
        kind, build = BUILDERS[name]
        path = main if not written else main.with_name(f"{main.stem}.{name}.safetensors")
        origin = {"origin_format": checkpoint.format, "origin_file": checkpoint.path.name}
        written.append(save_network(build(checkpoint), path, kind, "float16" if half else "float32", origin))
    return written
