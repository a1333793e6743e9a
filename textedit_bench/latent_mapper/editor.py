"""Edit by one mapper of codes per prompt: what its methods share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from torch import Tensor

from textedit_bench.editor import Latents, Space
from textedit_bench.errors import UserError
from textedit_bench.latent_mapper.network import ATTRIBUTES, STEP, LevelsMapper, Mapper, SingleMapper, StyleMapper
from textedit_bench.latent_mapper.settings import MapperSettings
from textedit_bench.offset_editor import OffsetEditor
from textedit_bench.per_prompt import PerPromptEditor
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainingPlan

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.training import RunOptions

MapperSettingsT = TypeVar("MapperSettingsT", bound=MapperSettings)


class MapperEditor(PerPromptEditor[Mapper, MapperSettingsT], OffsetEditor[MapperSettingsT]):
    """Edited code = code + strength * 0.1 * mapper(code), of W+ codes or of styles, as the phrase's mapper is."""

    network_type = Mapper

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """As every editor.

        Raises:
            UserError: also a levels mapper of which no group is on.
        """
        super().__init__(domain, **settings)
        values = self.values
        if values.mapper == "levels" and not self._groups():
            raise UserError(f"coarse, medium and fine of {self.info.name} are all off: nothing would be edited")
        self.prompts_at_once, self.stored_as = values.prompts_at_once, values.stored_as
        encoder, identity = ("encoder",) * (values.codes == "photos"), ("identity",) * bool(values.identity_weight)
        self.roles = ("generator", "clip", *encoder, *identity)

    def _groups(self) -> list[str]:
        return [group for group in ATTRIBUTES if self.settings[group]]

    def edited_space(self, prompt: Prompt) -> Space:
        """That of the phrase's mapper, which is trained if there is none."""
        return self.network_for(prompt).space

    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """The published step."""
        mapper = self.network_for(prompt).to(latents.codes.device)
        step: Tensor = STEP * mapper(latents.codes)
        return step

    def check_fits(self, network: Mapper, source: str) -> None:
        """Refuse a mapper of another generator."""
        generator, name = self.domain.generator, self.domain.name
        if isinstance(network, StyleMapper):
            widths = [entry.channels for entry in generator.style_layout]
            if network.widths != widths:
                raise UserError(f"{source}: a mapper of styles {network.widths}; {name} has {widths}")
        elif (dim := network.config["dim"]) != generator.w_dim:
            raise UserError(f"{source}: a mapper of width {dim}; {name} has {generator.w_dim}")

    def new_network(self) -> Mapper:
        """An untrained mapper of the kind that the settings name."""
        values, generator = self.values, self.domain.generator
        if values.mapper == "single":
            return SingleMapper(generator.w_dim, values.normalise)
        if values.mapper == "levels":
            return LevelsMapper(generator.w_dim, self._groups(), values.normalise)
        layout = generator.style_layout
        mapped = [i for i, entry in enumerate(layout) if values.mapper == "style-full" or not entry.is_rgb]
        return StyleMapper([entry.channels for entry in layout], mapped)

    def plan_training(self, run: RunOptions, prompts: Sequence[Prompt] | None) -> TrainingPlan:
        """One mapper per prompt, on the same codes."""
        from textedit_bench.latent_mapper.training import plan_mappers

        return plan_mappers(self, run, prompts or ())
