"""Ground truth of rendered photos: the perfect edit, and success and preservation computed from labels.

Labels are value indices [N, A] over the world's A attributes; -1 is an abstention, which never counts as success and
always counts as a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.metrics.column import ABSTAINED, ALREADY_SO, HIDDEN, NOTHING_ELSE, OK, Column
from textedit_bench.metrics.images import LRUCache

if TYPE_CHECKING:
    from textedit_bench.worlds.world import Factors, Render, World


KEPT_RENDERS = 16
"""Number of cached batches: the photos and every value of the attribute being read."""


def content_of(factors: Factors) -> bytes:
    """Return a key of everything that a render depends on."""
    parts = (factors.attributes, factors.identity, factors.nuisance)
    return b"|".join(part.cpu().contiguous().numpy().tobytes() for part in parts)


class Renders:
    """A world's renderer with a cache; returned renders must not be modified.

    Attributes:
        world: the renderer.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._recent: LRUCache[Render] = LRUCache(KEPT_RENDERS)

    def __call__(self, factors: Factors) -> Render:
        """Render a batch, or return its cached render."""
        return self._recent(content_of(factors), lambda: self.world.render(factors))


CHANGE = 2.0 / 255.0
"""A pixel belongs to the edited region if the perfect edit changes it by more than this, in [0, 1]."""
GROW = 2
"""Pixels by which the region is dilated: edges in inversions are displaced by one or two pixels."""
KEPT = 128
"""Number of cached ground truths: those of every prompt on its photos; a census has up to a hundred."""


@dataclass(frozen=True)
class PerfectEdit:
    """The ground truth of one prompt on N rendered photos.

    Attributes:
        asked: attribute position -> wanted value index.
        actual: the values drawn, int64 [N, A].
        visible: bool [N, A], whether the photo shows the attribute.
        through: bool [N, A], whether the photo and the perfect edit show it (a requested hat hides the hair).
        region: bool [N, H, W], the pixels that the asked attributes occupy before or after the edit, dilated.
        images: the perfect edit, float32 [N, 3, H, W] in [-1, 1].
    """

    asked: Mapping[int, int]
    actual: Tensor
    visible: Tensor
    through: Tensor
    region: Tensor
    images: Tensor

    @classmethod
    def of(cls, renders: Renders, factors: Factors, asked: Mapping[str, str]) -> PerfectEdit:
        """Render the photos and their perfect edits.

        Raises:
            UserError: the world has no such attribute or value.
        """
        world = renders.world
        before, after = renders(factors), renders(world.with_values(factors, asked))
        region = (before.images - after.images).abs().amax(1) > 2.0 * CHANGE
        for name in asked:
            for render in (before, after):
                if name in render.masks:
                    region = region | render.masks[name]
        grown = F.max_pool2d(region[:, None].float(), 2 * GROW + 1, stride=1, padding=GROW)[:, 0] > 0
        visible = before.visible.cpu()
        return cls(
            world.value_indices(asked),
            factors.attributes.cpu(),
            visible,
            visible & after.visible.cpu(),
            grown,
            after.images,
        )


class GroundTruth:
    """Caches the perfect edits of a world, which are the same for every strength and method."""

    def __init__(self, renders: Renders | None) -> None:
        self._renders = renders
        self._recent: LRUCache[PerfectEdit] = LRUCache(KEPT)

    def __call__(self, factors: Factors | None, asked: Mapping[str, str]) -> PerfectEdit | None:
        """Return the perfect edit; None if the truth is unknown or the prompt has no attribute of the world."""
        renders = self._renders
        if renders is None or factors is None or not asked:
            return None
        with torch.no_grad():
            key = (content_of(factors), tuple(sorted(asked.items())))
            return self._recent(key, lambda: PerfectEdit.of(renders, factors, asked))


def success(edited: Tensor, actual: Tensor, visible: Tensor, asked: Mapping[int, int]) -> Column:
    """Return 1 where the edit shows every requested value, else 0.

    Args:
        edited: the oracle's labels of the edits [N, A].
        actual: the values drawn [N, A].
        visible: bool [N, A], whether the source shows the attribute.
        asked: attribute position -> wanted value index; at least one.

    Returns:
        State ``attribute hidden`` if a requested attribute is not visible in the source, ``already so`` if the
        source has every requested value.
    """
    done = (edited[:, list(asked)] == torch.tensor(list(asked.values()))).all(1)
    return Column.of(done.double(), states_of(actual, visible, asked))


def states_of(actual: Tensor, visible: Tensor, asked: Mapping[int, int]) -> list[str]:
    """Return per photo whether an edit of it counts for success; arguments and states as `success`."""
    where, wanted = list(asked), torch.tensor(list(asked.values()))
    hidden = ~visible[:, where].all(1)
    already = (actual[:, where] == wanted).all(1)
    return [HIDDEN if h else ALREADY_SO if a else OK for h, a in zip(hidden.tolist(), already.tolist(), strict=True)]


def preservation(edited: Tensor, before: Tensor, visible: Tensor, asked: Mapping[int, int]) -> Column:
    """Compute the share of the attributes that were not requested, visible throughout, whose value is unchanged.

    Args:
        edited: the oracle's labels of the edits [N, A].
        before: labels before the edit [N, A]: the oracle's of the inversion, or the values drawn.
        visible: bool [N, A], whether the source shows the attribute and a perfect edit would too (a hat asked for
            hides the hair, which is not an error).
        asked: attribute position -> wanted value index.

    Returns:
        In [0, 1]; state ``nothing else visible`` if no other attribute is visible.
    """
    others = visible.clone()
    others[:, list(asked)] = False
    kept = (edited == before) & (edited >= 0) & (before >= 0)
    count = others.sum(1)
    share = (kept & others).sum(1) / count.clamp(min=1)
    return Column.of(share.double(), [OK if n else NOTHING_ELSE for n in count.tolist()])


def changes(edited: Tensor, before: Tensor, visible: Tensor) -> list[Column]:
    """Return per attribute 1 where the edit changes its value, else 0: a row of the leakage matrix.

    Args:
        edited: the oracle's labels of the edits [N, A]; an abstention is a change.
        before: its labels of the inversions [N, A].
        visible: bool [N, A], whether the source shows the attribute and a perfect edit would too.

    Returns:
        One column per attribute; state ``attribute hidden`` if it is not visible throughout, ``oracles abstain``
        if the oracle had no value before.
    """
    changed = (edited != before).double()
    columns = []
    for position in range(edited.shape[1]):
        seen, known = visible[:, position].tolist(), (before[:, position] >= 0).tolist()
        states = [HIDDEN if not s else ABSTAINED if not k else OK for s, k in zip(seen, known, strict=True)]
        columns.append(Column.of(changed[:, position], states))
    return columns


def agreement(first: Tensor, second: Tensor) -> Column:
    """Compute the share of attributes with equal labels of both oracles, abstentions excluded, in [0, 1]."""
    both = (first >= 0) & (second >= 0)
    count = both.sum(1)
    share = ((first == second) & both).sum(1) / count.clamp(min=1)
    return Column.of(share.double(), [OK if n else ABSTAINED for n in count.tolist()])
