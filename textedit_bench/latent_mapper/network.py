"""Map codes to the (unscaled) offsets of one prompt: the mapper networks of a paper, and parts of others.

Parameter names, the misspelt ``course_mapping`` among them, are those of the released checkpoints. Rows, widths and
styles are whatever the generator has. Source: arXiv 2103.17249, sec. 5 and fig. 3; what the released code does where
the paper is silent stands in the README of its mapper among the methods.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from textedit_bench.editor import Space
from textedit_bench.models.layers import PixelNorm, mapping_layers
from textedit_bench.models.storage import StoredNetwork

STEP = 0.1
"""An edit adds this times the mapper's output, in training and afterwards; the paper leaves it out."""
DEPTH, LR_MUL = 4, 0.01
STARTS = (4, 8)
"""First rows of the medium and of the fine group, at every image size."""
ATTRIBUTES = {"coarse": "course_mapping", "medium": "medium_mapping", "fine": "fine_mapping"}
"""Group of W+ rows -> name of its network."""

Normalise = Literal["rows", "channels"]


class ChannelNorm(nn.Module):
    """Divides by the root mean square over the last axis; ours, see `sub_mapper`."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, kept."""
        return x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-8)


def sub_mapper(dim: int, normalise: Normalise = "rows") -> nn.Sequential:
    """Create a normalisation and four equalised linear layers, [..., dim] -> [..., dim].

    Args:
        dim: width.
        normalise: ``"rows"`` as released: over axis 1, which for codes [B, rows, dim] is that of the ROWS, so every
            channel is measured against its own spread over the rows; for styles [B, dim] it is that of the channels.
            ``"channels"`` (ours): over the last axis, always.
    """
    norm = PixelNorm() if normalise == "rows" else ChannelNorm()
    return nn.Sequential(OrderedDict(mapping=mapping_layers([dim] * (DEPTH + 1), LR_MUL, norm)))


class Mapper(StoredNetwork):
    """What all mappers share.

    Attributes:
        space: of the codes that are mapped.
    """

    space: ClassVar[Space] = "w+"


class SingleMapper(Mapper):
    """One `sub_mapper` for all W+ rows."""

    def __init__(self, dim: int, normalise: Normalise = "rows") -> None:
        super().__init__()
        self.dim, self.normalise = dim, normalise
        self.mapping = sub_mapper(dim, normalise)

    def forward(self, w_plus: Tensor) -> Tensor:
        """Codes [B, rows, dim] -> M(w) [B, rows, dim], without the factor `STEP`.

        Raises:
            ValueError: codes of another shape.
        """
        _check_codes(w_plus, self.dim)
        mapped: Tensor = self.mapping(w_plus)
        return mapped


class GroupedMapper(Mapper):
    """One network per group of W+ rows; rows of a group that has none are left alone.

    Args:
        dim: width of W.
        groups: those that there are, out of coarse, medium and fine.
        network: creates the network of a group.

    Raises:
        ValueError: no group, or one that does not exist.
    """

    def __init__(self, dim: int, groups: Sequence[str], network: Callable[[], nn.Module]) -> None:
        super().__init__()
        if not groups or set(groups) - set(ATTRIBUTES):
            raise ValueError(f"groups are some of {', '.join(ATTRIBUTES)}, got {list(groups)}")
        self.dim, self.groups = dim, [group for group in ATTRIBUTES if group in groups]
        for group in self.groups:
            self.add_module(ATTRIBUTES[group], network())

    def by_group(self, w_plus: Tensor, starts: Sequence[int], *told: Tensor | None) -> Tensor:
        """Map codes [B, rows, dim], without the factor `STEP`; exactly 0 where there is no network.

        Args:
            w_plus: the codes.
            starts: first rows of the medium and the fine group.
            told: what else the network of each group reads.

        Raises:
            ValueError: codes of another shape.
        """
        _check_codes(w_plus, self.dim)
        parts = []
        for number, (group, part) in enumerate(zip(ATTRIBUTES, w_plus.tensor_split(tuple(starts), dim=1), strict=True)):
            there = group in self.groups and part.shape[1]
            more = told[number : number + 1]
            parts.append(self.get_submodule(ATTRIBUTES[group])(part, *more) if there else torch.zeros_like(part))
        return torch.cat(parts, dim=1)


class LevelsMapper(GroupedMapper):
    """One `sub_mapper` per group of W+ rows (`STARTS`).

    Args:
        dim, groups: of `GroupedMapper`.
        normalise: of `sub_mapper`; over the rows of the group.
    """

    def __init__(self, dim: int, groups: Sequence[str] = tuple(ATTRIBUTES), normalise: Normalise = "rows") -> None:
        super().__init__(dim, groups, lambda: sub_mapper(dim, normalise))
        self.normalise = normalise

    def forward(self, w_plus: Tensor) -> Tensor:
        """Codes [B, rows, dim] -> M(w) [B, rows, dim], as `by_group`."""
        return self.by_group(w_plus, STARTS)


class StyleMapper(Mapper):
    """One `sub_mapper` per style vector.

    Args:
        widths: of all style vectors in the generator's order, toRGB included.
        mapped: positions that have a mapper; the released trainer leaves toRGB out.

    Raises:
        ValueError: a position beyond the list, or none.
    """

    space = "s"

    def __init__(self, widths: Sequence[int], mapped: Sequence[int]) -> None:
        if not mapped or not set(mapped) <= set(range(len(widths))):
            raise ValueError(f"positions {list(mapped)} are not among the {len(widths)} style vectors")
        super().__init__()
        self.widths, self.mapped = list(widths), sorted(set(mapped))
        for position in self.mapped:
            setattr(self, f"mapper_{position}", sub_mapper(self.widths[position]))

    def forward(self, styles: Tensor) -> Tensor:
        """Styles [B, sum of widths] -> M(s), same shape, without the factor `STEP`; 0 where there is no mapper.

        Raises:
            ValueError: styles of another shape.
        """
        if styles.ndim != 2 or styles.shape[1] != sum(self.widths):
            raise ValueError(f"this mapper reads styles [B, {sum(self.widths)}], got {tuple(styles.shape)}")
        parts = [
            getattr(self, f"mapper_{position}")(part) if position in self.mapped else torch.zeros_like(part)
            for position, part in enumerate(styles.split(self.widths, dim=1))
        ]
        return torch.cat(parts, dim=1)


def text_branch(text_dim: int, dim: int) -> nn.Sequential:
    """Create what maps a text's embedding to a scale or shift of codes, in mappers that read a text."""
    return nn.Sequential(nn.Linear(text_dim, dim), nn.LayerNorm(dim), nn.LeakyReLU(0.01), nn.Linear(dim, dim))


def _check_codes(w_plus: Tensor, dim: int) -> None:
    if w_plus.ndim != 3 or w_plus.shape[2] != dim:
        raise ValueError(f"this mapper reads codes [B, rows, {dim}], got {tuple(w_plus.shape)}")
