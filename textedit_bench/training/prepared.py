"""Compute what an editor needs once per network without training, and cache it in the user's data folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from torch import Tensor

from textedit_bench.files import PlaceError, prepared_folder, reraise_write_errors
from textedit_bench.training.kept import kept, kept_path

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

log = logging.getLogger(__name__)


def computed_by(domain: Domain) -> list[object]:
    """Return what decides the last digits of tensors besides networks, as plain JSON values."""
    return [domain.device.type, domain.precision, torch.__version__, torch.get_num_threads()]


def prepared(
    domain: Domain, what: str, roles: Sequence[str], axes: Sequence[object], make: Callable[[], Mapping[str, Tensor]]
) -> dict[str, Tensor]:
    """Return tensors on the CPU, computed if this machine has no cached ones.

    The last digits are those that this run would compute: device, precision, threads and torch's version decide with
    the networks. Where nothing can be written they are made for this run alone, with a warning.

    Args:
        domain: whose networks.
        what: names the file.
        roles: of the networks that the tensors depend on.
        axes: settings that they depend on, plain JSON values.
        make: computes them.
    """
    # A folder for each: it is locked meanwhile, and what is made may need another thing that is prepared.
    folder, digests = prepared_folder() / what, [domain.digest(role) for role in roles]
    path = kept_path(folder, domain, what, digests, list(axes), computed_by(domain))
    try:
        with reraise_write_errors(path):
            try:
                return kept(path, make)
            except SafetensorError as error:
                log.warning("%s: damaged (%s); made again", path, error)
                path.unlink(missing_ok=True)
                return kept(path, make)
    except PlaceError as error:
        log.warning("%s of %s are not kept: %s", what, domain.name, error)
        return dict(make())
