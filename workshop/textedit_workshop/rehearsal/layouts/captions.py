"""The text encoder and vocabulary of AttnGAN's family, as its trainers write them."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from textedit_workshop.rehearsal.filling import fill
from textedit_workshop.rehearsal.sizes import Sizes

CAPTION = (
    "the person is an attractive young woman with a smiling oval face pale skin and blond black brown "
    "gray straight wavy hair bangs big nose lips mouth eyes she has wears heavy makeup lipstick earrings "
    "necklace eyeglasses hat he man bald chubby beard mustache goatee double chin bushy eyebrows"
)
"""Words that captions of faces are made of; which ones the published vocabulary holds is not known."""
_WIDTH, _HIDDEN = 300, 128


def write_text_encoder(path: Path, _sizes: Sizes, salt: str) -> None:
    """A bare state dict."""
    shapes: dict[str, tuple[int, ...]] = {"encoder.weight": (1 + len(_words()), _WIDTH)}
    for end in ("l0", "l0_reverse"):
        shapes |= {f"rnn.weight_ih_{end}": (4 * _HIDDEN, _WIDTH), f"rnn.weight_hh_{end}": (4 * _HIDDEN, _HIDDEN)}
        shapes |= {f"rnn.{kind}_{end}": (4 * _HIDDEN,) for kind in ("bias_ih", "bias_hh")}
    torch.save({name: 0.1 * value for name, value in fill(shapes, salt).items()}, path)


def write_vocabulary(path: Path, _sizes: Sizes, _salt: str) -> None:
    """Captions of both splits, and the two dictionaries; a pickle of protocol 2."""
    words = dict(enumerate(["<end>", *_words()]))
    content = [[[1, 2]], [[3]], words, {word: number for number, word in words.items()}]
    path.write_bytes(pickle.dumps(content, protocol=2))


def _words() -> list[str]:
    return sorted(set(CAPTION.split()))
