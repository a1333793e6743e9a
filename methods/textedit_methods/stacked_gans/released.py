"""Read the authors' generators: bare state dicts, whose system and sizes their names and shapes tell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from torch import Tensor

from textedit_bench.models.released import ReleasedTensors, StateDictAdapter
from textedit_bench.models.word_attention import own_name
from textedit_methods.stacked_gans.network import (
    AttnGenerator,
    ControlGenerator,
    MemoryGenerator,
    Sizes,
    StackedGenerator,
)

_UNREAD = re.compile(r"^h_net\d\.(?:att\.conv_context[23]|channel_att\.conv_context[23])\.weight$")
"""Of ControlGAN's maps every stage has two sets of either size, of which it uses one."""
_FIRST = "h_net1.fc.0.weight"


def _kind(state: Mapping[str, Tensor]) -> type[StackedGenerator] | None:
    """Return whose generator it is; None if it has the first stage alone, which all of them share."""
    if "h_net2.upsample.1.weight" not in state:
        return None
    if "h_net2.A.weight" in state:
        return MemoryGenerator
    return ControlGenerator if "h_net2.channel_att.conv_context.weight" in state else AttnGenerator


def _build(wanted: type[StackedGenerator], tensors: ReleasedTensors) -> StackedGenerator:
    """Build the generator of the sizes that the tensors tell."""
    wide, into = tensors.matrix(_FIRST, "width", largest=2**20)
    four, words = tensors.matrix("ca_net.fc.weight", "condition")
    state, condition = tensors.state, four // 4
    if "SAIN1.conv.weight" in state:
        tensors.refuse("the main module of ManiGAN, which edits")
    if "img_net.img.0.weight" in state:
        tensors.refuse("AttnDCGAN, the variant of AttnGAN with one picture at the end, which is not read")
    if (found := _kind(state)) not in (wanted, None):
        tensors.refuse(f"a {found.__name__}; wanted: {wanted.__name__}")
    if into <= condition or wide % 512:
        tensors.refuse(f"{_FIRST} of shape {(wide, into)} is no start of such a generator")
    stages = 1
    while stages < 3 and f"h_net{stages + 1}.upsample.1.weight" in state:
        stages += 1
    blocks = {name.split(".")[2] for name in state if name.startswith("h_net2.residual.")}
    return wanted(Sizes(wide // 512, words, condition, into - condition, len(blocks), stages))


def layout_of(wanted: type[StackedGenerator], title: str) -> StateDictAdapter:
    """Return how a file of the authors becomes a generator of the wanted kind."""
    return StateDictAdapter(
        trainer=f"{title}'s trainer",
        own_name=partial(own_name, unread=_UNREAD),
        build=partial(_build, wanted),
        missing="no tensors in it",
    )
