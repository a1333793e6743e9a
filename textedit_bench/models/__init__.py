"""Backbones of the benchmark, and readers of their checkpoint formats."""

from textedit_bench.errors import CheckpointError
from textedit_bench.models.clip import ClipModel
from textedit_bench.models.convert import convert
from textedit_bench.models.discriminator import Discriminator
from textedit_bench.models.loading import (
    load_clip,
    load_discriminator,
    load_encoder,
    load_generator,
    load_identity,
    load_parser,
)
from textedit_bench.models.storage import register_kind, save_network
from textedit_bench.models.stylegan2 import Generator, StyleLayer

__all__ = [
    "CheckpointError",
    "ClipModel",
    "Discriminator",
    "Generator",
    "StyleLayer",
    "convert",
    "load_clip",
    "load_discriminator",
    "load_encoder",
    "load_generator",
    "load_identity",
    "load_parser",
    "register_kind",
    "save_network",
]
