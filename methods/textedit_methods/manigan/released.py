"""Read the authors' main module and correction: bare state dicts, whose sizes the shapes tell."""

from __future__ import annotations

import re
from functools import partial

from torch import nn

from textedit_bench.models.released import ReleasedTensors, StateDictAdapter
from textedit_bench.models.word_attention import own_name
from textedit_methods.manigan.network import Correction, MainModule

_UNREAD = re.compile(r"^h_net[23]\.channel_att\.conv_context[23]\.weight$")
"""The map of the other stage's size, which is in the file and is never used."""
_FIRST, _WORDS = "h_net1.fc.0.weight", "h_net.att.conv_context.weight"


def _build(tensors: ReleasedTensors) -> nn.Module:
    """Build the main module or the correction, whichever the tensors tell."""
    state = tensors.state
    stage = "h_net2" if _FIRST in state else "h_net"
    residuals = len({name.split(".")[2] for name in state if name.startswith(f"{stage}.residual.")})
    if "h_net.color_channel_att.conv_context.weight" in state:
        told = state.get(_WORDS)
        if told is None or told.ndim != 4:
            tensors.refuse(f"{_WORDS} is missing or of another shape, so the correction's widths are unknown")
        return Correction(told.shape[0], told.shape[1], residuals)
    if "SAIN1.conv.weight" not in state:
        tensors.refuse("neither ManiGAN's main module (SAIN1.conv.weight) nor its correction of details")
    wide, into = tensors.matrix(_FIRST, "width", largest=2**20)
    four, words = tensors.matrix("ca_net.fc.weight", "condition")
    noise = into - four // 4 - words
    if noise < 1 or wide % 512:
        tensors.refuse(f"{_FIRST} of shape {(wide, into)} is no start of ManiGAN")
    return MainModule(wide // 512, words, four // 4, noise, residuals)


RELEASED = StateDictAdapter(
    trainer="ManiGAN's trainer", own_name=partial(own_name, unread=_UNREAD), build=_build, missing="no tensors in it"
)
