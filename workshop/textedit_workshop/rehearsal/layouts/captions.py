"""The text encoder and vocabulary of AttnGAN's family, as its trainers write them."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from textedit_workshop.rehearsal.filling import fill
from textedit_workshop.rehearsal.sizes import Sizes

WORDS = (
    "a", "and", "attractive", "bags", "bald", "bangs", "beard", "big", "black", "blond", "brown", "bushy", "chin", "chubby",
    "double", "earrings", "eyebrows", "eyeglasses", "eyes", "face", "goatee", "gray", "hair", "has", "hat", "heavy", "high",
    "lips", "lipstick", "makeup", "man", "mouth", "mustache", "narrow", "necklace", "nose", "oval", "pale", "person", "she",
    "skin", "smiling", "straight", "the", "wavy", "wearing", "woman", "young",
)  # fmt: skip
"""Some that captions of faces are made of; who published the files does not say which ones theirs hold."""
_WIDTH, _HIDDEN = 300, 128


def write_text_encoder(path: Path, _sizes: Sizes, salt: str) -> None:
    """A bare state dict."""
    shapes: dict[str, tuple[int, ...]] = {"encoder.weight": (1 + len(WORDS), _WIDTH)}
    for end in ("l0", "l0_reverse"):
        shapes |= {f"rnn.weight_ih_{end}": (4 * _HIDDEN, _WIDTH), f"rnn.weight_hh_{end}": (4 * _HIDDEN, _HIDDEN)}
        shapes |= {f"rnn.{kind}_{end}": (4 * _HIDDEN,) for kind in ("bias_ih", "bias_hh")}
    torch.save({name: 0.1 * value for name, value in fill(shapes, salt).items()}, path)


def write_vocabulary(path: Path, _sizes: Sizes, _salt: str) -> None:
    """Captions of both splits, and the two dictionaries; a pickle of protocol 2."""
    words = dict(enumerate(["<end>", *WORDS]))
    content = [[[1, 2]], [[3]], words, {word: number for number, word in words.items()}]
    path.write_bytes(pickle.dumps(content, protocol=2))
