"""StyleCLIP's latent mapper: one network per prompt."""

from __future__ import annotations

from textedit_bench.latent_mapper.editor import MapperEditor
from textedit_bench.latent_mapper.released import layout
from textedit_bench.per_prompt import stem
from textedit_methods.styleclip_mapper.card import CARD, RELEASED_NAMES, RELEASED_PREFIX, Settings


class StyleCLIPMapper(MapperEditor[Settings]):
    """The mapper of the framework with StyleCLIP's own loss; see `textedit_bench.latent_mapper`."""

    info = CARD
    released = layout("StyleCLIP")

    @classmethod
    def released_name(cls, phrase: str) -> str:
        """Asset id of the authors' mapper."""
        return f"{RELEASED_PREFIX}{RELEASED_NAMES.get(phrase, stem(phrase))}"
