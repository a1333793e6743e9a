"""Read released mapper checkpoints: ``mapper.*`` beside ``decoder.*`` (the generator), or the mapper alone."""

from __future__ import annotations

import re

from textedit_bench.latent_mapper.network import ATTRIBUTES, DEPTH, LevelsMapper, Mapper, SingleMapper, StyleMapper
from textedit_bench.models.released import FromArray, ReleasedTensors, StateDictAdapter

_PREFIX = re.compile(r"^(?:net\.)?(?P<own>mapper\.)?(?P<rest>.+)$")
_OWN = re.compile(
    r"^(?:(?P<part>mapping|course_mapping|medium_mapping|fine_mapping)|mapper_(?P<at>\d{1,3}))\.mapping\."
)
_LEVELS = {attribute: group for group, attribute in ATTRIBUTES.items()}
_RGB_EVERY, _FIRST_RGB = 3, 1  # toRGB is style 1, 4, 7, ...
_MAX_STYLES, _MAX_DIM = 64, 8192
_MISSING = "no mapper of {} in it (no tensor named like mapper.mapping.mapping.1...)"


def layout(title: str, from_array: FromArray | None = None) -> StateDictAdapter:
    """What the released trainer of ``title`` writes; ``from_array`` as in `StateDictAdapter`."""
    return StateDictAdapter(
        trainer=f"{title}'s mapper trainer",
        own_name=_own_name,
        build=_build,
        missing=_MISSING.format(title),
        from_array=from_array,
    )


def _own_name(name: str) -> str | None:
    match = _PREFIX.match(name)
    return match["rest"] if match and (match["own"] or _OWN.match(match["rest"])) else None


def _build(tensors: ReleasedTensors) -> Mapper:
    """The mapper whose kind and sizes the tensors tell."""
    own = [match for name in tensors.state if (match := _OWN.match(name))]
    parts = {match["part"] or "style" for match in own}
    if not parts:
        tensors.refuse("no layer of a mapper in it")
    if parts == {"style"}:
        return _style_mapper(tensors, sorted({int(match["at"]) for match in own}))
    if parts == {"mapping"}:
        return SingleMapper(_width(tensors, "mapping"))
    if not parts <= set(_LEVELS):
        tensors.refuse(f"tensors of several kinds of mapper: {', '.join(sorted(parts))}")
    return LevelsMapper(max(_width(tensors, part) for part in parts), [_LEVELS[part] for part in parts])


def _style_mapper(tensors: ReleasedTensors, mapped: list[int]) -> StyleMapper:
    """Widths from the tensors; a toRGB style without a mapper is as wide as the convolution's before it."""
    known = {position: _width(tensors, f"mapper_{position}") for position in mapped}
    count = mapped[-1] + 1
    if count % _RGB_EVERY == _FIRST_RGB:  # ends with a convolution, so a toRGB that has no mapper follows
        count += 1
    if count > _MAX_STYLES:
        tensors.refuse(f"a mapper of {count} style vectors is out of range")
    for position in range(count):
        if position not in known:
            if position % _RGB_EVERY != _FIRST_RGB or position - 1 not in known:
                tensors.refuse(f"mapper_{position} is missing, so the style's width is unknown")
            known[position] = known[position - 1]
    return StyleMapper([known[position] for position in range(count)], mapped)


def _width(tensors: ReleasedTensors, part: str) -> int:
    return tensors.matrix(f"{part}.mapping.{DEPTH}.weight", "width", largest=_MAX_DIM)[0]
