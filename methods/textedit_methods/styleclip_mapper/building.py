"""From settings to an untrained mapper for a domain, and whether a trained one fits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textedit_bench.errors import UserError
from textedit_methods.styleclip_mapper.network import GROUPS, LevelsMapper, Mapper, SingleMapper, StyleMapper

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


def check_groups(settings: Mapping[str, Any]) -> None:
    """Refuse a levels mapper of which no group is on.

    Raises:
        UserError: names the groups.
    """
    if settings["mapper"] == "levels" and not any(settings[group] for group in GROUPS):
        raise UserError("coarse, medium and fine of styleclip-mapper are all off: nothing would be edited")


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
