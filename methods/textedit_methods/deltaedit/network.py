"""The delta mapper, from a style code and a difference in CLIP's space to a difference of style codes.

Parameter names are those of the released checkpoint. The widths of the style vectors and of CLIP are whatever generator
and CLIP have. Source: arXiv 2303.06285, sec. 3.3 and fig. 3; the split into groups is that of the released code.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textedit_bench.models.layers import PixelNorm, mapping_layers
from textedit_bench.models.storage import StoredNetwork, register_kind

if TYPE_CHECKING:
    from textedit_bench.models.clip import Preprocessing

GROUPS = ("coarse", "medium", "fine")
VECTORS = {"coarse": 3, "medium": 4}
"""Style vectors of the first two groups at every image size; fine has the rest."""
LR_MUL = 0.01
_SHORTEST = 1e-5


def layers(inputs: int, outputs: int, *, norm: bool, hidden: int = 0, depth: int = 4) -> nn.Sequential:
    """Create equalised linear layers, each followed by a leaky ReLU, the last too: [..., inputs] -> [..., outputs].

    Args:
        inputs, outputs: widths.
        norm: normalise first, over AXIS 1: the vectors of a stack [B, vectors, C], the channels of [B, C].
        hidden: width of the layers between; ``outputs`` where 0, as published.
        depth: number of layers.
    """
    widths = [inputs, *[hidden or outputs] * (depth - 1), outputs]
    return nn.Sequential(OrderedDict(mapping=mapping_layers(widths, LR_MUL, PixelNorm() if norm else None)))


class DeltaMapper(StoredNetwork):
    """Style, condition and fusion modules for each of the three groups.

    Args:
        groups: group -> (vectors, width). Several vectors of one width share a module that sees them as a stack; a
            group of one "vector" is seen flat.
        condition: width of the condition: twice that of CLIP.
        hidden: width of inner layers and of what the style and condition modules give; 0: the group's width.
        depth: layers of every module.
    """

    def __init__(self, groups: Mapping[str, tuple[int, int]], condition: int, hidden: int = 0, depth: int = 4) -> None:
        super().__init__()
        self.groups = {name: (int(groups[name][0]), int(groups[name][1])) for name in GROUPS}
        self.condition, self.hidden, self.depth = condition, hidden, depth
        self.sizes = [vectors * width for vectors, width in self.groups.values()]
        for name, (_, width) in self.groups.items():
            inner = hidden or width
            setattr(self, f"sm_{name}", layers(width, inner, norm=True, hidden=hidden, depth=depth))
            setattr(self, f"cm_{name}", layers(condition, inner, norm=True, hidden=hidden, depth=depth))
            setattr(self, f"fm_{name}", layers(2 * inner, width, norm=False, hidden=hidden, depth=depth))

    @property
    def num_styles(self) -> int:
        """Length of the style code."""
        return sum(self.sizes)

    def forward(self, styles: Tensor, condition: Tensor) -> Tensor:
        """Predict the difference of styles.

        Args:
            styles: convolutions' styles without toRGB, raw, [B, num_styles].
            condition: unit CLIP embedding of the image, then unit CLIP difference, [B, condition].

        Returns:
            [B, num_styles].

        Raises:
            ValueError: the shapes do not fit the network.
        """
        if styles.ndim != 2 or styles.shape[1] != self.num_styles:
            raise ValueError(f"this mapper reads styles [B, {self.num_styles}], got {tuple(styles.shape)}")
        if condition.shape != (len(styles), self.condition):
            raise ValueError(
                f"this mapper reads conditions [{len(styles)}, {self.condition}], got {tuple(condition.shape)}"
            )
        parts = []
        for (name, (vectors, width)), part in zip(self.groups.items(), styles.split(self.sizes, dim=1), strict=True):
            stack = part.unflatten(1, (vectors, width)) if vectors > 1 else part
            style = getattr(self, f"sm_{name}")(stack)
            wanted = getattr(self, f"cm_{name}")(condition)
            if vectors > 1:
                wanted = wanted.unsqueeze(1).expand(-1, vectors, -1)
            parts.append(getattr(self, f"fm_{name}")(torch.cat([style, wanted], dim=-1)).flatten(1))
        return torch.cat(parts, dim=1)


class DeltaModel(nn.Module):
    """The stored model of a data set: mapper, relevance matrix of the same generator and CLIP, and preprocessing.

    Args:
        mapper: the network.
        relevance: unit rows [num_styles, d]; None if the mapper came without one, as the released file does.
        clip_preprocessing: of the images whose features the mapper reads.
    """

    relevance: Tensor | None

    def __init__(
        self, mapper: DeltaMapper, relevance: Tensor | None = None, clip_preprocessing: Preprocessing = "published"
    ) -> None:
        super().__init__()
        self.mapper, self.clip_preprocessing = mapper, clip_preprocessing
        self.register_buffer("relevance", relevance)

    @property
    def config(self) -> dict[str, Any]:
        """Return the constructor arguments as plain JSON values."""
        shape = None if self.relevance is None else list(self.relevance.shape)
        return {"mapper": self.mapper.config, "relevance": shape, "clip_preprocessing": self.clip_preprocessing}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> DeltaModel:
        """Inverse of `config`; the matrix is empty until tensors are loaded."""
        shape = config["relevance"]
        relevance = None if shape is None else torch.zeros(shape)
        return cls(DeltaMapper.from_config(config["mapper"]), relevance, config["clip_preprocessing"])

    def forward(self, styles: Tensor, condition: Tensor) -> Tensor:
        """Predict by the mapper."""
        difference: Tensor = self.mapper(styles, condition)
        return difference


def unit_difference(difference: Tensor) -> Tensor:
    """Normalise differences [..., d] in CLIP's space; those shorter than 1e-5 are divided by 1e-5, as released."""
    return difference / difference.norm(dim=-1, keepdim=True).clamp(min=_SHORTEST)


def split_widths(widths: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Split a generator's style vectors into groups: the first three convolutions, the next four, the rest.

    A group whose vectors differ in width cannot be a stack and is seen flat, as fine always is. In the published
    generators coarse and medium are stacks of 512.

    Args:
        widths: of the convolutions' style vectors in order.

    Raises:
        ValueError: too few vectors for three groups.
    """
    count = len(widths)
    if count < len(GROUPS):
        raise ValueError(f"a generator of {count} convolutions has too few style vectors for three groups")
    first = min(VECTORS["coarse"], count - 2)  # generators of 8 and 16 pixels leave one vector to each later group
    second = min(first + VECTORS["medium"], count - 1)
    parts = {"coarse": widths[:first], "medium": widths[first:second], "fine": widths[second:]}
    groups = {}
    for name, part in parts.items():
        stacked = name in VECTORS and len(set(part)) == 1
        groups[name] = (len(part), part[0]) if stacked else (1, sum(part))
    return groups


def _stored(config: Mapping[str, Any]) -> nn.Module:
    return (DeltaModel if "mapper" in config else DeltaMapper).from_config(config)


register_kind("deltaedit", _stored)  # the class in the header of older files lies elsewhere
