"""Locate the files that a card names and a method's own weights, or describe what is missing and how to get it."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from textedit_bench.assets.check import WrongFileError, check_unpacked, glance
from textedit_bench.assets.manifest import Asset, get_asset, list_assets
from textedit_bench.data.card import OPTIONAL, DatasetCard, SourceCard
from textedit_bench.errors import UserError
from textedit_bench.files import data_folder, trained_folder

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.editor import Editor


def network_path(card: DatasetCard, named: str) -> Path:
    """Return the file of a network that a card names: relative to the card, else the asset of that id."""
    beside = _base(card) / named
    asset = None if beside.is_file() else _asset(named)
    return asset.path if asset else beside


def network_architecture(card: DatasetCard, named: str) -> str | None:
    """Return the architecture of a network's file, if the manifest of assets states one."""
    asset = None if (_base(card) / named).is_file() else _asset(named)
    return asset.architecture if asset else None


def source_path(card: DatasetCard, source: SourceCard) -> Path | None:
    """Return the path of an image source: as given, relative to the card, else in the data folder; None for samples."""
    return None if source.path is None else _place(card, source.path)


def captions_path(card: DatasetCard, source: SourceCard) -> Path | None:
    """Return the folder of captions of an image source, found like its images; None if the card names none."""
    return None if source.captions is None else _place(card, source.captions)


def _place(card: DatasetCard, named: str) -> Path:
    path = Path(named).expanduser()
    beside = _base(card) / path
    return beside if path.is_absolute() or beside.exists() else data_folder() / path


def fetched(name: str) -> Path | None:
    """Return the file of an asset, or None if it was not downloaded.

    Raises:
        UserError: there is no such asset.
    """
    asset = get_asset(name)
    return asset.path if asset.path.is_file() else None


def missing_role(card: DatasetCard, role: str, named: str) -> str | None:
    """Describe a missing network: role, file, origin and path; None if it exists."""
    path = network_path(card, named)
    if path.is_file():
        return None
    asset = _asset(named)
    return f"{role} ({asset.advice() if asset else path})"


def has_some_network(card: DatasetCard, tier: str) -> bool:
    """Whether the file of any network of a tier exists."""
    return any(network_path(card, named).is_file() for named in card.tier(tier).networks.values())


def missing_source(card: DatasetCard, tier: str) -> str | None:
    """Describe the missing images of a tier: content, origin and path; None if they exist."""
    source = card.tier(tier).source
    path = source_path(card, source) if source else None
    asset = _asset(source.asset) if source and source.asset else None
    if source is None or path is None or (path.exists() and not (asset and _is_empty(path))):
        return None
    if asset is None:
        return f"the images ({source.kind} {source.path}; expected at {path})"
    fetch = f"textedit-bench assets fetch {asset.id}" if asset.fetchable else asset.how
    return f"the images ({asset.title}, from {asset.origin}; {fetch}; expected at {path})"


def missing_files(card: DatasetCard, tier: str) -> list[str]:
    """List all missing files that a tier needs, networks before images, without duplicates."""
    part = card.tier(tier)
    roles = {named: role for role, named in reversed(part.networks.items()) if role not in OPTIONAL}
    lacks = [missing_role(card, role, named) for named, role in reversed(roles.items())]
    return [text for text in [*lacks, missing_source(card, tier)] if text is not None]


def spoilt_file(card: DatasetCard, tier: str) -> str | None:
    """Return the first asset of a tier with wrong size or first bytes; None if all are right.

    Files in the card's folder are the user's own, and nothing is known about them.
    """
    part = card.tier(tier)
    for role, named in part.networks.items():
        asset, path = _asset(named), network_path(card, named)
        if asset and path == asset.path and path.is_file() and (reason := _objection(glance, asset, path)):
            return f"{role} ({path}: {reason})"
    where = source_path(card, part.source) if part.source and part.source.asset else None
    if where is not None and where.is_dir() and (reason := _objection(check_unpacked, where)):
        return f"the images ({where}: {reason})"
    return None


def _objection(look: Callable[..., None], *at: Asset | Path) -> str | None:
    """Return the error of a check of a file."""
    try:
        look(*at)
    except (WrongFileError, OSError) as error:
        return str(error)
    return None


def _is_empty(path: Path) -> bool:
    return path.is_dir() and next(path.iterdir(), None) is None


def _base(card: DatasetCard) -> Path:
    return card.path.parent if card.path else Path()


def _asset(named: str) -> Asset | None:
    return list_assets().get(named)


def weights_folder(package: str, domain: Domain) -> Path:
    """Return the folder of a method's weights for a domain.

    It is the method's folder for shipped weights, such as those of the mini tier; for downloaded generators it is the
    user's data folder, since weights trained on them are neither shipped nor stored with installed code.

    Args:
        package: the method's, such as ``__package__``.
        domain: the data set and tier.
    """
    if domain.tier_card.networks.get("generator") in list_assets():
        return trained_folder() / package.rpartition(".")[2]
    return Path(str(files(package))) / "weights"


def lacks_weights(editor: Editor) -> bool:
    """Whether a method needs weights and has none for its domain: neither its own nor the authors'."""
    path = editor.weights_path()
    there = (path is not None and path.exists()) or editor.released_files()
    return editor.needs_weights and not there


def not_trained(editor: Editor) -> UserError:
    """Describe where missing weights were searched, and the command that trains them."""
    name, domain = editor.info.name, editor.domain
    return UserError(
        f"{name} has no trained weights for {domain.name}, tier {domain.tier} (expected {editor.weights_path()}); "
        f"train them with: textedit-bench train --method {name} --dataset {domain.name} --tier {domain.tier}"
    )
