"""Compute edit success and preservation from labels: pure functions of the oracles' and the renderer's values.

Labels are value indices [N, A] over the world's A attributes; -1 is an abstention, which never counts as success and
always counts as a change.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from textedit_bench.metrics.column import ABSTAINED, ALREADY_SO, HIDDEN, NOTHING_ELSE, OK, Column


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
