"""The HairCLIP editor: hair style and hair colour, each by a text or by a picture that shows it."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor
from torch.nn import functional as F

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.latent_mapper.network import STEP
from textedit_bench.per_prompt import normalised
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainedOffsetEditor
from textedit_methods.hairclip.card import CARD, COLOURS, STYLES, Settings
from textedit_methods.hairclip.network import HairMapper
from textedit_methods.hairclip.released import RELEASED

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_FACES = "HairCLIP edits the hair of faces"
_SPELLINGS = {"grey": "gray", "blonde": "blond"}
_MORE_STYLES = ("bald", "bangs", "curly", "long", "short", "straight", "wavy")
"""Known as styles without the word "hairstyle" (ours)."""
_KNOWN = re.compile(rf"\b(?:{'|'.join(sorted((*STYLES, *_MORE_STYLES), key=len, reverse=True))})\b")
_NAMED = re.compile(r"^((?:(?!and\b|with\b)[\w'-]+ )+)(?:hair ?style|hair ?cut)$")
_FRAME = re.compile(r"^(?:(?:an?|the) )?(?:face|person|man|woman)(?: (?:with|who has))? |^(?:with|having) |^an? ")
_FILLERS = {"a", "an", "and", "with", "hair", "hairs", "hairstyle", "haircut", "style", "cut"}


class HairCLIP(TrainedOffsetEditor[HairMapper, Settings]):
    """Edited code = code + strength * 0.1 * mapper(code, style, colour)."""

    info = CARD
    network_type = HairMapper
    released = RELEASED

    def refusal(self, prompt: Prompt) -> str | None:
        """Only texts about the hair of faces are supported, and pictures of hair only where a parser finds it."""
        if self.domain.card.kind != "face":
            return _FACES
        if (self.values.style_image or self.values.colour_image) and not self.domain.has("parser"):
            return f"pictures of hair need a face parser, which tier {self.domain.tier} of {self.domain.name} lacks"
        return None if request_of(prompt) else "HairCLIP edits hair style and hair colour, and nothing else"

    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return the published step, [B, rows, d]."""
        refusal, request = self.refusal(prompt), request_of(prompt)
        if refusal or request is None:
            raise UserError(f"prompt {prompt.words!r}: {refusal}")
        codes = latents.codes
        network = self.network.to(codes.device)
        style = self._condition(request.style, self.values.style_image, len(codes))
        colour = self._condition(request.colour, self.values.colour_image, len(codes))
        step: Tensor = STEP * network(codes, style, colour)
        if self.values.spare_other_group:
            fine = network.starts[1]
            step[:, :fine] *= style is not None
            step[:, fine:] *= colour is not None
        return step

    def _condition(self, text: str | None, picture: str, count: int) -> Tensor | None:
        """Embed what is asked of one group, [count, d]; a picture takes the place of the text."""
        if not picture and text is None:
            return None
        embedding = self.embed_text(text) if text is not None and not picture else self._pictures[picture]
        return embedding.to(self.domain.device).expand(count, -1)

    @cached_property
    def _pictures(self) -> dict[str, Tensor]:
        """Path -> embedding of the hair, of the pictures that settings name."""
        from textedit_bench.own_photo import own_photo

        paths = filter(None, (self.values.style_image, self.values.colour_image))
        shown = {path: own_photo(self.domain, path).images for path in paths}
        parser = self.domain.network("parser")
        return {path: embed_hair(self.domain, images, parser.hair(images))[0] for path, images in shown.items()}

    # -- weights and training ----------------------------------------------------------------------------------------
    def check_fits(self, network: HairMapper, source: str) -> None:
        """Refuse a mapper for another generator or CLIP."""
        wanted = self.domain.generator.w_dim, self.domain.clip.embed_dim
        if (network.dim, network.text_dim) != wanted:
            raise UserError(
                f"{source}: this mapper reads codes of width {network.dim} and texts of width {network.text_dim}; "
                f"{self.domain.name} has {wanted[0]} and {wanted[1]}"
            )

    def new_network(self) -> HairMapper:
        """Create an untrained mapper of the settings' sizes."""
        values = self.values
        if self.domain.card.kind != "face":
            raise UserError(f"{_FACES}; {self.domain.name} shows none")
        if values.medium_from >= values.fine_from:
            raise UserError(f"medium_from {values.medium_from}: valid: less than fine_from, {values.fine_from}")
        starts = values.medium_from, values.fine_from
        return HairMapper(self.domain.generator.w_dim, self.domain.clip.embed_dim, blocks=values.blocks, starts=starts)

    def given_files(self) -> tuple[Path, ...]:
        """Return the pictures that settings name, and the parser that finds hair in them."""
        pictures = (*self.given_file("style_image"), *self.given_file("colour_image"))
        return (*pictures, self.domain.path("parser")) if pictures and self.domain.has("parser") else pictures


def embed_hair(domain: Domain, images: Tensor, hair: Tensor) -> Tensor:
    """Embed the hair of pictures [B, 3, H, W] by the guiding CLIP, unnormalised, [B, d].

    As released: all else is grey, averaged to CLIP's size, with CLIP's own mean and deviation.
    """
    shown = F.adaptive_avg_pool2d(images * hair, domain.clip.image_size)
    return domain.clip.encode_image(shown, preprocessing="correct")


class Request(NamedTuple):
    """What is asked of the hair: texts for the mapper, None if nothing."""

    style: str | None
    colour: str | None


def request_of(prompt: Prompt) -> Request | None:
    """Return what a prompt asks of the hair; None if it asks for anything else.

    The groups of a card's prompts decide, and their words are used as they are. A text without a group is searched for
    one of the authors' colours and one of their styles, or for "... hairstyle"; no other word may be in it.
    """
    if prompt.group == "hair colour":
        return Request(None, prompt.words)
    if prompt.group == "hairstyle":
        return Request(prompt.words, None)
    text = normalised(prompt.words)
    while (bare := _FRAME.sub("", text)) != text:
        text = bare
    words = [_SPELLINGS.get(word, word) for word in text.replace(",", " ").split()]
    colours = [word for word in words if word in COLOURS]
    rest = " ".join(word for word in words if word not in COLOURS)
    known = _KNOWN.findall(rest)
    left = {*_KNOWN.sub(" ", rest).split()} - _FILLERS
    named = _NAMED.match(rest)
    if len(colours) > 1 or len(known) > 1 or (left and (known or not named)):
        return None
    style = rest if named and left else None
    if known:
        last = "hair" if known[0] in _MORE_STYLES else "hairstyle"
        style = known[0] if known[0] in ("bald", "bangs") else f"{known[0]} {last}"
    if not style and not (colours and {"hair", "hairs"} & {*words}):
        return None
    return Request(style, f"{colours[0]} hair" if colours else None)
