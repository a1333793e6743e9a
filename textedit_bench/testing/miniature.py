"""Small random networks for checks of methods that run released networks alone."""

from __future__ import annotations

import pickle
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import torch

from textedit_bench.data.card import Split
from textedit_bench.models.damsm_text import TextEncoder
from textedit_bench.models.storage import save_network

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.info import MethodInfo


def miniature_settings(info: MethodInfo, domain: Domain, folder: Path) -> dict[str, Any]:
    """Write a method's ``miniature`` to a folder and return the settings that name it; none if the card has none."""
    if not info.miniature:
        return {}
    module, _, name = info.miniature.partition(":")
    settings: dict[str, Any] = getattr(import_module(module), name)(folder, domain)
    return settings


def write_reader(folder: Path, domain: Domain, width: int) -> dict[str, str]:
    """Write a text encoder, and a vocabulary of the words of a domain's prompts.

    Args:
        folder: where to.
        domain: its prompts of all splits.
        width: of words and sentences, even.

    Returns:
        The settings of a `CaptionEditor` that name the files.
    """
    texts = [prompt.words for split in get_args(Split) for prompt in domain.prompts(split).values()]
    known = sorted({word for text in texts for word in re.findall(r"\w+", text.lower())})
    words = dict(enumerate(["<end>", *known]))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        encoder = TextEncoder(len(words), width, width // 2)
    vocabulary = folder / "captions.pickle"
    vocabulary.write_bytes(pickle.dumps([[], [], words, {word: number for number, word in words.items()}]))
    path = save_network(encoder, folder / "text_encoder.safetensors", "damsm-text")
    return {"text_encoder": str(path), "vocabulary": str(vocabulary)}
