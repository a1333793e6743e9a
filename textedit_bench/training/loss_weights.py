"""Weights of the terms of a loss."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from textedit_bench.errors import UserError

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)

_SUFFIX = "_weight"


def loss_weights(
    method: str,
    settings: Mapping[str, Any],
    domain: Domain,
    needs: Mapping[str, str] | None = None,
    late: Collection[str] = (),
) -> dict[str, float]:
    """Return term -> weight, from the settings named ``<term>_weight``.

    Args:
        method: for messages.
        settings: of the method.
        domain: its domain.
        needs: term -> role of the network it needs; if the domain has none, the term is off, with a warning.
        late: terms that are active only after some epochs.

    Raises:
        UserError: every term is off.
    """
    weights = {name.removesuffix(_SUFFIX): float(value) for name, value in settings.items() if name.endswith(_SUFFIX)}
    off = {term: role for term, role in (needs or {}).items() if weights[term] and not domain.has(role)}
    weights |= dict.fromkeys(off, 0.0)
    if not any(weight for term, weight in weights.items() if term not in late):
        first = " from the first step" if late else ""
        raise UserError(f"all weights of {method} that this tier can use{first} are 0: there is nothing to train")
    for term, role in off.items():
        log.warning("%s: the %s term is off: tier %s of %s has no %s", method, term, domain.tier, domain.name, role)
    return weights
