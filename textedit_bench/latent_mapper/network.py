"""Map codes to the (unscaled) offsets of one prompt: StyleCLIP's mapper networks.

Parameter names, the misspelt ``course_mapping`` among them, are those of the released checkpoints. Rows, widths and
styles are whatever the generator has. Source: arXiv 2103.17249, sec. 5 and fig. 3; what the released code does where
the paper is silent stands in the README of StyleCLIP's mapper among the methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from textedit_bench.editor import Space
from textedit_bench.models.layers import EqualLinear, PixelNorm

STEP = 0.1
"""An edit adds this times the mapper's output, in training and afterwards; the paper leaves it out."""
DEPTH, LR_MUL = 4, 0.01
GROUPS = {"coarse": slice(0, 4), "medium": slice(4, 8), "fine": slice(8, None)}
"""W+ rows of the levels mapper's groups, at every image size."""
ATTRIBUTES = {"coarse": "course_mapping", "medium": "medium_mapping", "fine": "fine_mapping"}
"""Names of the groups' networks."""

Normalise = Literal["rows", "channels"]


class ChannelNorm(nn.Module):
    """Divides by the root mean square over the last axis; ours, see `SubMapper`."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, kept."""
        return x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-8)


class SubMapper(nn.Module):
    """Normalisation and four equalised linear layers of one width, every one with its leaky ReLU, the last one too.

    Args:
        dim: width.
        normalise: ``"rows"`` as released: over axis 1, which for codes [B, rows, dim] is that of the ROWS, so every
            channel is measured against its own spread over the rows; for styles [B, dim] it is that of the channels.
            ``"channels"`` (ours): over the last axis, always.
    """

    def __init__(self, dim: int, normalise: Normalise = "rows") -> None:
        super().__init__()
        norm = PixelNorm() if normalise == "rows" else ChannelNorm()
        layers = [EqualLinear(dim, dim, lr_mul=LR_MUL, activation=True) for _ in range(DEPTH)]
        self.mapping = nn.Sequential(norm, *layers)

    def forward(self, x: Tensor) -> Tensor:
        """[..., dim] -> [..., dim]."""
        mapped: Tensor = self.mapping(x)
        return mapped


class Mapper(nn.Module):
    """What all mappers share.

    Attributes:
        space: of the codes that are mapped.
        config: constructor arguments as plain JSON values.
    """

    space: ClassVar[Space] = "w+"

    def __init__(self, **config: Any) -> None:
        super().__init__()
        self.config = config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Mapper:
        """Inverse of ``config``."""
        return cls(**config)


class SingleMapper(Mapper):
    """One `SubMapper` for all W+ rows."""

    def __init__(self, dim: int, normalise: Normalise = "rows") -> None:
        super().__init__(dim=dim, normalise=normalise)
        self.mapping = SubMapper(dim, normalise)

    def forward(self, w_plus: Tensor) -> Tensor:
        """Codes [B, rows, dim] -> M(w) [B, rows, dim], without the factor `STEP`.

        Raises:
            ValueError: codes of another shape.
        """
        _check_codes(w_plus, self.config["dim"])
        mapped: Tensor = self.mapping(w_plus)
        return mapped


class LevelsMapper(Mapper):
    """One `SubMapper` per group of W+ rows (`GROUPS`); rows of a group that is switched off are left alone.

    Args:
        dim: width of W.
        groups: those that are edited, out of coarse, medium and fine.
        normalise: of `SubMapper`; over the rows of the group.

    Raises:
        ValueError: no group, or one that does not exist.
    """

    def __init__(self, dim: int, groups: Sequence[str] = tuple(GROUPS), normalise: Normalise = "rows") -> None:
        if not groups or set(groups) - set(GROUPS):
            raise ValueError(f"groups of a levels mapper are some of {', '.join(GROUPS)}, got {list(groups)}")
        super().__init__(dim=dim, groups=[group for group in GROUPS if group in groups], normalise=normalise)
        self.groups: list[str] = self.config["groups"]
        for group in self.groups:
            setattr(self, ATTRIBUTES[group], SubMapper(dim, normalise))

    def forward(self, w_plus: Tensor) -> Tensor:
        """Codes [B, rows, dim] -> M(w) [B, rows, dim], without the factor `STEP`; exactly 0 where a group is off.

        Raises:
            ValueError: codes of another shape.
        """
        _check_codes(w_plus, self.config["dim"])
        parts = []
        for group, rows in GROUPS.items():
            part = w_plus[:, rows]
            active = group in self.groups and part.shape[1]
            parts.append(getattr(self, ATTRIBUTES[group])(part) if active else torch.zeros_like(part))
        return torch.cat(parts, dim=1)


class StyleMapper(Mapper):
    """One `SubMapper` per style vector.

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
        super().__init__(widths=list(widths), mapped=sorted(set(mapped)))
        self.widths, self.mapped = list(widths), sorted(set(mapped))
        for position in self.mapped:
            setattr(self, f"mapper_{position}", SubMapper(self.widths[position]))

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


def _check_codes(w_plus: Tensor, dim: int) -> None:
    if w_plus.ndim != 3 or w_plus.shape[2] != dim:
        raise ValueError(f"this mapper reads codes [B, rows, {dim}], got {tuple(w_plus.shape)}")
