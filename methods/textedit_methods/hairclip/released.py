"""Read the released HairCLIP checkpoint: ``mapper.*`` with CLIP among it, beside ``decoder.*``, the generator."""

from __future__ import annotations

import re

from textedit_bench.latent_mapper.network import ATTRIBUTES
from textedit_bench.models.released import ReleasedTensors, StateDictAdapter, part_of
from textedit_methods.hairclip.network import HairMapper

_OWN = r"^(?:mapper\.(?!clip_model\.)|(?=(?:course|medium|fine)_mapping\.))(.+)$"
"""All of the mapper but its CLIP, so that an unknown tensor of it is refused; also the mapper alone."""
_BLOCK = re.compile(r"^(\w+_mapping)\.modulation_module_list\.(\d{1,2})\.")
_MAX_DIM = 8192


def _build(tensors: ReleasedTensors) -> HairMapper:
    found = {(match[1], int(match[2])) for name in tensors.state if (match := _BLOCK.match(name))}
    groups = [group for group, attribute in ATTRIBUTES.items() if attribute in dict(found)]
    if not groups:
        tensors.refuse("no block of a hair mapper in it")
    first = f"{ATTRIBUTES[groups[0]]}.modulation_module_list.0"
    dim, _ = tensors.matrix(f"{first}.fc.weight", "width", largest=_MAX_DIM)
    _, text_dim = tensors.matrix(f"{first}.gamma_function.0.weight", "width of texts", largest=_MAX_DIM)
    return HairMapper(dim, text_dim, groups, 1 + max(number for _, number in found))


RELEASED = StateDictAdapter(
    trainer="HairCLIP's trainer",
    own_name=part_of(_OWN),
    build=_build,
    missing="no HairCLIP mapper in it (no tensor named like mapper.course_mapping.modulation_module_list.0...)",
)
