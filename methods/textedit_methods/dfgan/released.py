"""Read the authors' files: ``state_epoch_*.pth`` of 2022, ``netG*.pth`` of 2020, and the text encoder beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import nn

from textedit_bench.models.damsm_text import TEXT_ENCODER
from textedit_bench.models.released import ReleasedTensors, StateDictAdapter
from textedit_bench.models.state_dicts import plain_names
from textedit_methods.dfgan.network import START, Critic, Generator

_CRITIC = ("netD.", "netC.")
_OLD_BLOCK = re.compile(r"^block(\d{1,2})\.(.+)$")
_OLD_AFFINE = re.compile(r"^affine([0-3])\.")
_NEW = re.compile(r"^(?:fc|GBlocks\.\d{1,2}|to_rgb)\.")


def _inside(content: Mapping[str, object]) -> Mapping[str, object]:
    """The generator of a file that nests its networks, else its critic; the content itself if nothing is nested."""
    nested = content.get("model", content)
    named = nested if isinstance(nested, Mapping) else {}
    parts = {name: part for name in ("netG", "netD", "netC") if isinstance(part := named.get(name), Mapping)}
    if "netG" in parts:
        return plain_names(parts["netG"])
    return plain_names({f"{name}.{key}": value for name in parts for key, value in parts[name].items()}) or content


def _own_name(name: str) -> str | None:
    """Names of 2022 are ours; those of 2020 become them."""
    if match := _OLD_BLOCK.match(name):
        part = _OLD_AFFINE.sub(lambda affine: f"fuse{1 + int(affine[1]) // 2}.affine{int(affine[1]) % 2}.", match[2])
        return f"GBlocks.{match[1]}.{part}"
    name = re.sub(r"^conv_img\.", "to_rgb.", name)
    return name if _NEW.match(name) or name.startswith(_CRITIC) else TEXT_ENCODER.own_name(name)


def _build(tensors: ReleasedTensors) -> nn.Module:
    """The network that the tensors are of, in its sizes."""
    if any(name.startswith(_CRITIC) for name in tensors.state):
        return _critic(tensors)
    if "encoder.weight" in tensors.state and "fc.weight" not in tensors.state:
        return TEXT_ENCODER.build(tensors)
    start, noise = tensors.matrix("fc.weight", "noise")
    hidden, condition = tensors.matrix("GBlocks.0.fuse1.affine0.fc_gamma.linear1.weight", "condition")
    old = "GBlocks.0.gamma" in tensors.state
    widths = [start // START**2, *_widths(tensors, r"^GBlocks\.(\d+)\.c2\.weight$")]
    sentence = condition if old else condition - noise
    if start % START**2 or sentence < 1:
        tensors.refuse(f"fc.weight of shape {(start, noise)} fits no generator with a condition of {condition} numbers")
    return Generator(widths, noise, sentence, "v1" if old else "v2", hidden if old else 0, "damsm")


def _critic(tensors: ReleasedTensors) -> Critic:
    layers = r"^netD\.(conv_img)\.weight$", r"^netD\.DBlocks\.(\d+)\.conv_r\.2\.weight$"
    widths = [width for layer in layers for width in _widths(tensors, layer)]
    joint = tensors.state.get("netC.joint_conv.0.weight")
    if joint is None or joint.ndim != 4 or len(widths) < 2:
        tensors.refuse("an incomplete critic")
    return Critic(widths, max(0, joint.shape[1] - widths[-1]))


def _widths(tensors: ReleasedTensors, layer: str) -> list[int]:
    """Output channels of a layer that every block has, in the blocks' order."""
    found = [(re.match(layer, name), value) for name, value in tensors.state.items() if value.ndim]
    return [width for _, width in sorted((match[1].zfill(3), len(value)) for match, value in found if match)]


RELEASED = StateDictAdapter(
    trainer="DF-GAN's trainer",
    own_name=_own_name,
    build=_build,
    missing="no network of DF-GAN in it (no tensor named like GBlocks.0.c1.weight or block0.c1.weight)",
    inside=_inside,
)
