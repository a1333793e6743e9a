"""Base class of editors with typed settings and text embeddings of the guiding CLIP."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import torch
from torch import Tensor

from textedit_bench.editor import Editor, Latents, Space
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.settings import MethodSettings

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import ClipModel

SettingsT = TypeVar("SettingsT", bound=MethodSettings)
EditorT = TypeVar("EditorT", bound=Editor)
FoundT = TypeVar("FoundT")


def once_per_prompt(find: Callable[[EditorT, Prompt], FoundT]) -> Callable[[EditorT, Prompt], FoundT]:
    """Decorate an editor's method: what it finds for a prompt's target and source is kept."""

    @wraps(find)
    def kept(editor: EditorT, prompt: Prompt) -> FoundT:
        found = editor.__dict__.setdefault(f"_{find.__name__} by prompt", {})
        key = (prompt.target, prompt.source)
        if key not in found:
            found[key] = find(editor, prompt)
        return cast("FoundT", found[key])

    return kept


class TypedEditor(Editor, Generic[SettingsT]):
    """Editor whose card names the class of its settings (``model``).

    Attributes:
        values: the settings, typed.
    """

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Store the settings; others are taken from the card's presets and defaults.

        Raises:
            UserError: an unknown setting, or an invalid value.
        """
        super().__init__(domain, **settings)
        assert self.info.model is not None, f"the card of {self.info.name} names no model of its settings"
        self.values = cast("SettingsT", self.info.model(**self.settings))
        self._texts: dict[str, Tensor] = {}

    @property
    def clip(self) -> ClipModel:
        """The guiding CLIP, which encodes texts."""
        return self.domain.clip

    @torch.no_grad()
    def embed_text(self, text: str) -> Tensor:
        """Compute CLIP's unnormalised embedding [d], float32, one text per pass, so that it is reproducible."""
        if text not in self._texts:
            self._texts[text] = self.clip.encode_text([text])[0].float()
        return self._texts[text]

    def in_space(self, latents: Latents, space: Space) -> Latents:
        """Return the same images by W+ codes (for style codes: their source W+ codes), or by style codes.

        Raises:
            UserError: style codes without their W+ codes, or W+ codes of another generator.
        """
        if space == "s":
            with torch.no_grad():
                return latents.with_codes(self.domain.generator.to_style(latents), "s")
        codes = latents.codes if latents.space == "w+" else latents.w_plus
        if codes is None:
            raise UserError(f"{self.info.name} edits W+ codes; these latents are style codes without their W+ codes")
        generator = self.domain.generator
        if codes.shape[1:] != (generator.num_rows, generator.w_dim):
            raise UserError(
                f"codes of {codes.shape[1]} rows and width {codes.shape[2]} are not those of {self.domain.name}, "
                f"which has {generator.num_rows} rows and width {generator.w_dim}"
            )
        return latents.with_codes(codes, "w+")

    def given_file(self, setting: str) -> tuple[Path, ...]:
        """The file that a setting names; none where it is empty.

        Raises:
            UserError: there is no such file.
        """
        given = [Path(path) for path in (self.settings[setting],) if path]
        if given and not given[0].is_file():
            raise UserError(f"{setting} of {self.info.name}: {given[0]}: no such file")
        return tuple(given)
