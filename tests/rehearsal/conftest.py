"""A data set of the full tier whose networks are tiny, in the official layouts."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from textedit_bench.data.card import DatasetCard, read_card
from textedit_workshop.rehearsal.sizes import ClipSize, Sizes

CARD = """
name: cat
title: Tiny cats
kind: animal
neutral: a cat
tiers:
  full:
    resolution: 32
    networks: {generator: sg2-cat-tf, discriminator: sg2-cat-tf, clip: clip-b32}
    source: {kind: lmdb, path: lsun/cat_lmdb, asset: lsun-cat, crop: square, first: {evaluation: 7}}
    splits: {train: 1000, development: 100, evaluation: 100}
    prompts:
      - {id: a-hat, target: a cat with a hat, source: a cat, phrase: hat, split: evaluation, trained: true}
      - {id: striped, target: a striped cat, source: a cat, phrase: striped, split: evaluation, trained: true}
      - {id: sleepy, target: a sleepy cat, source: a cat, phrase: sleepy, split: train, trained: true}
"""


@pytest.fixture(scope="session")
def sizes() -> Sizes:
    clip = ClipSize(
        embed_dim=32, image_size=32, patch=16, vision_width=64, vision_layers=1, text_width=64, text_layers=1
    )
    return Sizes(resolution=32, w_dim=32, widest=32, channel_base=1024, mapping_layers=2, clip=clip)


@pytest.fixture
def card(tmp_path) -> DatasetCard:
    path = tmp_path / "own.yaml"
    path.write_text(CARD)
    return read_card(path)


@pytest.fixture(scope="session")
def parity_fill() -> ModuleType:
    """The rule of the parity fixtures, written independently of the rehearsal's."""
    path = Path(__file__).parents[1] / "models" / "parity" / "fill.py"
    spec = importlib.util.spec_from_file_location("parity_fill_of_rehearsal", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
