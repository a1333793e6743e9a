"""StyleCLIP's latent mapper behind the editor's contract."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.files import locked
from textedit_bench.models.packing import exact_precision
from textedit_bench.models.storage import save_network
from textedit_bench.prompt import Prompt
from textedit_methods.styleclip_mapper.building import check_fits, check_groups
from textedit_methods.styleclip_mapper.card import CARD
from textedit_methods.styleclip_mapper.checkpoint import load_mapper, phrase_of
from textedit_methods.styleclip_mapper.library import (
    cache_folder,
    committed_folder,
    find,
    find_released,
    normalised,
    released_files,
    stem,
)
from textedit_methods.styleclip_mapper.network import STEP, Mapper
from textedit_methods.styleclip_mapper.presets import preset

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)


class StyleCLIPMapper(Editor):
    """One mapper per phrase: edited code = code + strength * 0.1 * mapper(code).

    A phrase's mapper is looked for among those fitted or loaded, then where the method's weights lie, then in the
    user's data folder, then among the authors' fetched ones; where there is none it is trained and kept there.
    """

    info = CARD

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Settings not given come from the data set's preset, then from the card.

        Raises:
            UserError: an unknown setting, or a value that is not valid.
        """
        super().__init__(domain, **{**preset(domain.tier, domain.card.kind), **settings})
        check_groups(self.settings)
        self._mappers: dict[str, Mapper] = {}
        self._for_all: Mapper | None = None
        self._given = ""  # the phrase of a single file that was given

    # -- editing -----------------------------------------------------------------------------------------------------
    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        """Add ``strength`` times the published step; trains the phrase's mapper where there is none.

        Raises:
            UserError: the mapper does not fit this domain.
        """
        return self.edit_sweep(latents, prompt, [strength])[0]

    @torch.no_grad()
    def edit_sweep(self, latents: Latents, prompt: Prompt, strengths: Sequence[float]) -> list[Latents]:
        """The same step at several strengths; strength 0 returns the given codes."""
        if not any(strengths):
            return [latents for _ in strengths]
        mapper = self.mapper(prompt)
        source = self._source(latents, mapper)
        step = STEP * mapper.to(source.device)(source)
        return [latents.with_codes(source + s * step, mapper.space) if s else latents for s in strengths]

    def _source(self, latents: Latents, mapper: Mapper) -> Tensor:
        """The codes in the mapper's space."""
        if latents.space == mapper.space:
            return latents.codes
        codes = latents.codes if latents.space == "w+" else latents.w_plus
        if codes is None:
            raise UserError("styleclip-mapper edits W+ codes; these latents are style codes without their W+ codes")
        styles: Tensor = codes if mapper.space == "w+" else self.domain.generator.to_style(codes)
        return styles

    def prepare(self, prompt: Prompt) -> None:
        """Find or train the phrase's mapper."""
        self.mapper(prompt)

    def mapper(self, prompt: Prompt) -> Mapper:
        """The trained mapper of a prompt's phrase; where there is none it is trained now, which takes minutes.

        Raises:
            UserError: the mapper found does not fit this domain.
        """
        phrase = normalised(prompt.words)
        if self._given and phrase != self._given:
            log.warning("styleclip-mapper: the weights given are for %r and do not serve %r", self._given, phrase)
        mapper = self._mappers.get(phrase, self._for_all)
        if mapper is None:
            mapper = self._mappers[phrase] = self._found(phrase) or self._trained_on_demand(prompt)
        return mapper

    def _found(self, phrase: str) -> Mapper | None:
        places = (find(folder, phrase) for folder in (self.weights_path(), self._cache()))
        for path in (*places, find_released(self.domain, phrase)):
            if path is not None:
                mapper = load_mapper(path)
                check_fits(mapper, self.domain, str(path))
                return mapper
        return None

    def _trained_on_demand(self, prompt: Prompt) -> Mapper:
        from textedit_bench.training import RunOptions
        from textedit_methods.styleclip_mapper.fitting import fit_mappers

        folder = self._cache()
        phrase = normalised(prompt.words)
        path = folder / f"{stem(phrase)}.safetensors"
        run = RunOptions(folder=folder / "runs", preview_images=0, logger="csv")
        with locked(folder / "training" / stem(phrase)):  # another worker may be at it
            mapper = self._found(phrase)
            if mapper is None:
                log.warning("styleclip-mapper: no mapper for %r yet; it is trained now and kept as %s", phrase, path)
                with torch.enable_grad():
                    mapper = fit_mappers(self.domain, [prompt], self.settings, run)[phrase]
                _store(mapper, path, phrase)
        return mapper

    # -- weights -----------------------------------------------------------------------------------------------------
    def weights_path(self) -> Path:
        """The folder of the committed (or locally trained) mappers of this data set and tier, one file per phrase."""
        return committed_folder(self.domain)

    def released_files(self) -> tuple[Path, ...]:
        """The authors' mappers that were fetched, each for its own phrase."""
        return tuple(released_files(self.domain).values())

    def released_weights(self) -> None:
        """None: a mapper serves its own phrase alone, so that it is looked for when it is asked for."""

    def _cache(self) -> Path:
        from textedit_methods.styleclip_mapper.fitting import run_identity

        return cache_folder(self.domain, run_identity(self.domain, self.settings))

    def save(self, path: str | Path) -> None:
        """Write the mappers that were fitted or used: one file per phrase into a folder, or the only one as a file.

        Args:
            path: a folder, or a name that ends in ``.safetensors``.

        Raises:
            UserError: there is none, or several are to go into one file.
        """
        path = Path(path)
        if not self._mappers:
            raise UserError("styleclip-mapper has no trained mapper to save")
        if path.suffix == ".safetensors":
            if len(self._mappers) > 1:
                phrases = ", ".join(self._mappers)
                raise UserError(f"{path}: a file holds one mapper, there are {len(self._mappers)}: {phrases}")
            ((phrase, mapper),) = self._mappers.items()
            _store(mapper, path, phrase)
            return
        for phrase, mapper in self._mappers.items():
            _store(mapper, path / f"{stem(phrase)}.safetensors", phrase)

    def load(self, path: str | Path) -> None:
        """Read a mapper written by `save`, for its phrase, or a released one, which then serves every prompt.

        Args:
            path: a file, or a folder of files.

        Raises:
            UserError: a file holds no mapper, or one that does not fit this domain.
        """
        path = Path(path)
        for file in sorted(path.glob("*.safetensors")) if path.is_dir() else [path]:
            mapper, phrase = load_mapper(file), phrase_of(file)
            check_fits(mapper, self.domain, str(file))
            if phrase is None:
                self._for_all = mapper
            else:
                self._mappers[normalised(phrase)] = mapper
                self._given = normalised(phrase) if path.is_file() else ""

    @classmethod
    def load_network(cls, path: str | Path) -> Mapper:
        """The mapper of a released checkpoint or of ours: W+ or styles -> M(w), without the factor 0.1."""
        return load_mapper(path)

    # -- training ----------------------------------------------------------------------------------------------------
    def fit(self, prompts: Sequence[Prompt] | None = None, **options: Any) -> None:
        """Train one mapper per prompt; afterwards this editor uses them. `save` keeps them.

        Args:
            prompts: the data set's trained evaluation prompts where None.
            options: settings of the training for this run, and the fields of `textedit_bench.training.RunOptions`.

        Raises:
            UserError: an unknown option or a value that is not valid, or no prompts.
        """
        from textedit_bench.training import RunOptions
        from textedit_methods.styleclip_mapper.fitting import fit_mappers

        run, own = RunOptions.split(options)
        chosen = type(self)(self.domain, **{**self.settings, **own}).settings
        wanted = list(self.domain.prompts("evaluation", trained=True).values()) if prompts is None else list(prompts)
        if not wanted:
            raise UserError(
                f"prompts: none given, and the card of {self.domain.name}, tier {self.domain.tier}, has no trained "
                "evaluation prompt"
            )
        self._mappers.update(fit_mappers(self.domain, wanted, chosen, run))


def _store(mapper: Mapper, path: Path, phrase: str) -> None:
    state = mapper.state_dict()
    save_network(mapper.cpu(), path, "styleclip-mapper", exact_precision(state), {"phrase": phrase})
