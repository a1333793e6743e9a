"""From settings to an untrained mapper for a domain, and whether a trained one fits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textedit_bench.errors import UserError, unknown_choice
from textedit_methods.styleclip_mapper.network import GROUPS, LevelsMapper, Mapper, SingleMapper, StyleMapper

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_CHOICES = {
    "mapper": ("levels", "single", "style", "style-full"),
    "normalise": ("rows", "channels"),
    "optimizer": ("ranger", "adam"),
    "clip_preprocessing": ("published", "correct"),
    "stored_as": ("float32", "float16", "int8"),
}
_AT_LEAST_ONE = ("batch_size", "steps", "steps_per_validation", "validation_codes", "prompts_at_once")


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse values that no training could use.

    Raises:
        UserError: names the setting, its value and what is valid.
    """
    for name, choices in _CHOICES.items():
        if settings[name] not in choices:
            raise unknown_choice(f"{name} of styleclip-mapper", str(settings[name]), choices)
    for name in _AT_LEAST_ONE:
        if settings[name] < 1:
            raise UserError(f"{name} of styleclip-mapper must be at least 1, got {settings[name]}")
    for name in ("learning_rate", "num_codes"):
        if settings[name] < 0:
            raise UserError(f"{name} of styleclip-mapper must not be negative, got {settings[name]}")
    if not 0 <= settings["final_rate"] <= 1:
        raise UserError(f"final_rate of styleclip-mapper must be between 0 and 1, got {settings['final_rate']}")
    if settings["mapper"] == "levels" and not any(settings[group] for group in GROUPS):
        raise UserError("coarse, medium and fine of styleclip-mapper are all off: nothing would be edited")
    if not settings["clip_weight"]:
        raise UserError("clip_weight of styleclip-mapper is 0: nothing would ask for the phrase")


def new_mapper(settings: Mapping[str, Any], domain: Domain) -> Mapper:
    """An untrained mapper; its random weights are drawn from torch's global stream."""
    generator, kind = domain.generator, settings["mapper"]
    if kind == "single":
        return SingleMapper(generator.w_dim, settings["normalise"])
    if kind == "levels":
        return LevelsMapper(generator.w_dim, [group for group in GROUPS if settings[group]], settings["normalise"])
    layout = generator.style_layout
    mapped = [position for position, entry in enumerate(layout) if kind == "style-full" or not entry.is_rgb]
    return StyleMapper([entry.channels for entry in layout], mapped)


def check_fits(mapper: Mapper, domain: Domain, source: str) -> None:
    """Refuse a mapper of another generator.

    Raises:
        UserError: names the file and both sizes.
    """
    generator = domain.generator
    if isinstance(mapper, StyleMapper):
        widths = tuple(entry.channels for entry in generator.style_layout)
        if mapper.widths != widths:
            raise UserError(f"{source}: a mapper of styles {list(mapper.widths)}; {domain.name} has {list(widths)}")
    elif mapper.dim != generator.w_dim:
        raise UserError(f"{source}: a mapper of width {mapper.dim}; {domain.name} has {generator.w_dim}")
