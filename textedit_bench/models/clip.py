"""CLIP with one interface: pictures in [-1, 1] and sentences to unnormalised float32 embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from textedit_bench.devices import sent
from textedit_bench.errors import UserError
from textedit_bench.models.clip_preprocessing import correct_input, published_input
from textedit_bench.models.unread import unread

Preprocessing = Literal["correct", "published"]
Tokenizer = Callable[[list[str]], Tensor]

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)


class ClipModel(nn.Module):
    """An open_clip model with its tokenizer and two ways of preprocessing pictures.

    Args:
        model: open_clip network (`encode_image(pixels)`, `encode_text(tokens)`), kept in eval mode.
        tokenizer: sentences -> tokens (B, context), int64.
        image_size: side of the square picture the network takes.
        mean: per channel, taken from pictures in [0, 1].
        std: per channel, divided by afterwards.
        name: shown in tables and protocol ids, such as "ViT-B-32-quickgelu/openai".

    Attributes:
        embed_dim: width of the embeddings, measured on a sentence.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Tokenizer,
        image_size: int,
        mean: Sequence[float] = OPENAI_MEAN,
        std: Sequence[float] = OPENAI_STD,
        name: str = "clip",
    ):
        super().__init__()
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.image_size = int(image_size)
        self.name = name
        self.register_buffer("mean", torch.tensor(mean, dtype=torch.float32).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std, dtype=torch.float32).view(3, 1, 1), persistent=False)
        with torch.no_grad():
            self.embed_dim = int(self.encode_text(["a"]).shape[-1])

    @property
    def device(self) -> torch.device:
        """The network's device; pictures must be on it, sentences are moved."""
        return self.mean.device

    def train(self, mode: bool = True) -> ClipModel:
        """Keep the wrapped network in eval mode: CLIP is never trained through this class."""
        super().train(mode)
        self.model.eval()
        return self

    def prepare(self, images: Tensor, preprocessing: Preprocessing = "correct") -> Tensor:
        """Preprocess pictures (B, 3, H, W) in [-1, 1] to the network's input (B, 3, image_size, image_size).

        "correct": CLIP's own pipeline (bicubic, centre crop, mean and std). "published": what the released
        editing code gave it (area resampling, range left at [-1, 1], no mean and std); see clip_preprocessing.py.
        """
        if images.dim() != 4 or images.shape[1] != 3:
            raise ValueError(f"images must have shape (B, 3, H, W), got {tuple(images.shape)}")
        if preprocessing == "correct":
            return correct_input(images, self.image_size, self.mean, self.std)
        if preprocessing == "published":
            return published_input(images, self.image_size)
        raise ValueError(f"preprocessing {preprocessing!r} is none of 'correct', 'published'")

    def encode_image(self, images: Tensor, preprocessing: Preprocessing = "correct") -> Tensor:
        """Embed pictures (B, 3, H, W) in [-1, 1] as (B, embed_dim), float32, not normalised; differentiable."""
        return self.model.encode_image(self.prepare(images, preprocessing)).float()  # type: ignore[operator]

    def encode_text(self, texts: Sequence[str] | str) -> Tensor:
        """Embed sentences as (B, embed_dim), float32, not normalised.

        Raises:
            UserError: a sentence has more tokens than the network reads; names the part that is not read.
        """
        sentences = [texts] if isinstance(texts, str) else list(texts)
        tokens = self.tokenizer(sentences)
        for sentence, last in zip(sentences, tokens[:, -1].tolist(), strict=True):
            if last and (part := self.unread(sentence)):  # a padded row was not cut
                raise UserError(
                    f"text {sentence!r}: {self.name} reads {self.context_length} tokens; not read: {part!r}"
                )
        return self.model.encode_text(sent(tokens, self.device)).float()  # type: ignore[operator]

    @property
    def context_length(self) -> int:
        """Maximum number of tokens of a sentence, including start and end tokens."""
        return int(getattr(self.tokenizer, "context_length", None) or self.tokenizer(["a"]).shape[1])

    def unread(self, text: str) -> str:
        """Return the end of a text that would be truncated; empty if none."""
        return unread(self.tokenizer, text)
