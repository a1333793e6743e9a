"""CLIP with one interface: pictures in [-1, 1] and sentences to unnormalised float32 embeddings.

The published losses (arXiv 2103.17249, 2210.07883, 2303.06285) enlarge by 7 with nearest neighbours and average-pool
down to 224, a 7168-pixel intermediate for a 1024-pixel picture. Both steps are linear and separable and together
average each output pixel over its exact share of the input, so one small matrix per axis gives the same numbers.
They also skip CLIP's mean and std and leave the range at [-1, 1] (issue 38 of the first one's repository);
networks trained that way expect it, metrics must not use it.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.errors import UserError


@lru_cache(maxsize=32)
@torch.inference_mode(False)
def _area_block(source: int, target: int, device: torch.device, dtype: torch.dtype) -> tuple[int, Tensor]:
    """Return the repeating block of the area-averaging matrix from `source` to `target` samples, cached per device.

    Output sample o is the mean over [o, o + 1) * source / target. With g = gcd(source, target) the matrix is g equal
    blocks of shape (target / g, source / g), computed in float64.
    """
    blocks = math.gcd(source, target)
    rows, columns = target // blocks, source // blocks
    edges_out = torch.arange(rows + 1, dtype=torch.float64) * columns / rows
    edges_in = torch.arange(columns + 1, dtype=torch.float64)
    overlap = torch.minimum(edges_out[1:, None], edges_in[1:]) - torch.maximum(edges_out[:-1, None], edges_in[:-1])
    return blocks, (overlap.clamp(min=0.0) * rows / columns).to(dtype).to(device)


def area_resample(x: Tensor, height: int, width: int) -> Tensor:
    """Resize (B, C, H, W) to (B, C, height, width) by exact fractional-area averaging, up or down."""
    batch, channels, old_height, old_width = x.shape
    if (old_height, old_width) == (height, width):
        return x
    blocks, matrix = _area_block(old_width, width, x.device, x.dtype)
    x = x.reshape(-1, old_width // blocks) @ matrix.T
    x = x.view(batch * channels, old_height, width)
    blocks, matrix = _area_block(old_height, height, x.device, x.dtype)
    x = matrix @ x.reshape(batch * channels * blocks, old_height // blocks, width)
    return x.view(batch, channels, height, width)


def published_input(images: Tensor, size: int) -> Tensor:
    """Preprocess as in the published CLIP losses: area-averaged to size x size, without normalisation."""
    return area_resample(images, size, size)


def correct_input(images: Tensor, size: int, mean: Tensor, std: Tensor) -> Tensor:
    """Preprocess like CLIP: shorter side to `size` (antialiased bicubic), centre crop, normalisation.

    Values outside [-1, 1] are clipped, before and after resizing, as storing the picture would.
    """
    x = images.clamp(-1.0, 1.0) * 0.5 + 0.5
    height, width = x.shape[-2:]
    if (height, width) != (size, size):
        short = min(height, width)
        target = (size * height // short, size * width // short)
        if target != (height, width):
            for step in ((height, target[1]), target):  # one axis at a time and clipped in between, as Pillow does
                x = F.interpolate(x, size=step, mode="bicubic", align_corners=False, antialias=True).clamp(0.0, 1.0)
        top, left = round((target[0] - size) / 2), round((target[1] - size) / 2)
        x = x[..., top : top + size, left : left + size]
    return (x - mean) / std


_MORE = " a a"


def unread(tokenizer: Callable[[list[str]], Tensor], text: str) -> str:
    """Return the truncated end of a text, from the beginning of a word; empty if nothing is truncated.

    Args:
        tokenizer: sentences -> tokens (B, context), int64, longer ones cut.
        text: a sentence.
    """

    def same(other: str) -> bool:
        return torch.equal(tokens, tokenizer([other])[0])

    tokens = tokenizer([text])[0]
    if not text.strip() or not same(text + _MORE) or not _is_over(tokenizer, text):
        return ""
    read = bisect_left(range(len(text)), True, key=lambda length: same(text[:length]))
    # The word that is cut in two is not read as what it says; scripts without blanks are cut between letters.
    start = text.rfind(" ", 0, read) + 1
    inside = read < len(text) and not text[read].isspace() and text[start:read].isascii() and start > 0
    return text[start if inside else read :].strip() or text[-1]


def _is_over(tokenizer: Callable[[list[str]], Tensor], text: str) -> bool:
    """Whether a text that fills the context has more tokens; one that just fits is not truncated."""
    encode, context = getattr(tokenizer, "encode", None), getattr(tokenizer, "context_length", None)
    if encode is not None and context is not None:
        return len(encode(text)) > context - 2
    shorter = text.rstrip()[:-1]
    return torch.equal(tokenizer([text])[0], tokenizer([shorter])[0])


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
        editing code gave it (area resampling, range left at [-1, 1], no mean and std); see `published_input`.
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


# The released code leaves this one of open_clip's (and CLIP's own) 80 out and keeps the order of the others.
_LEFT_OUT = "a photo of many {}."
_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)


@cache
def templates() -> tuple[str, ...]:
    """Return the 79 templates, each with one ``{}``."""
    from open_clip import OPENAI_IMAGENET_TEMPLATES  # takes long to import

    return tuple(text for text in (make("{}") for make in OPENAI_IMAGENET_TEMPLATES) if text != _LEFT_OUT)


def sentences(text: str) -> list[str]:
    """Put a text into every template; its leading article is dropped, since the templates have one.

    Example:
        >>> sentences("a face with blond hair")[0]
        'a bad photo of a face with blond hair.'
    """
    bare = _ARTICLE.sub("", text.strip())
    return [template.replace("{}", bare) for template in templates()]


@torch.no_grad()
def mean_embedding(clip: ClipModel, texts: Sequence[str]) -> Tensor:
    """Compute the mean [d] of the texts' unit embeddings, normalised to unit length."""
    return F.normalize(F.normalize(clip.encode_text(texts).float(), dim=-1).mean(dim=0), dim=-1)
