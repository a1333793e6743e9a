"""Find methods and data sets by name through entry points.

Names come from package metadata; a card is imported when it is listed, a class when it is used; neither listing nor
names import torch. Built-ins are found exactly like third-party plugins: group ``textedit_bench.methods`` maps a name
to a card (`MethodInfo`), group ``textedit_bench.datasets`` maps a name to a card (`DatasetCard`) or its file. Controls
are not plugins; their names are reserved.

A plugin that cannot be used is listed as a `BrokenPlugin` with the reason; it never affects other plugins.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textedit_bench.errors import UserError, unknown_choice

if TYPE_CHECKING:
    from textedit_bench.controls.cards import ControlInfo
    from textedit_bench.data.card import DatasetCard
    from textedit_bench.domain import Domain
    from textedit_bench.editor import Editor
    from textedit_bench.info import MethodInfo

METHODS = "textedit_bench.methods"
DATASETS = "textedit_bench.datasets"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BrokenPlugin:
    """A registered name that cannot be used.

    Attributes:
        name: the registered name.
        origin: what the entry point names, and the distribution: ``"my_pkg.card:CARD (my-pkg 1.0)"``.
        reason: the error in one line.
    """

    name: str
    origin: str
    reason: str

    def error(self, field: str) -> UserError:
        """Return the error for a use of the plugin."""
        return UserError(f"{field} {self.name!r} is broken: {self.reason} [{self.origin}]")


def method_names() -> list[str]:
    """List names of registered methods, including broken ones, and of controls; imports no plugin."""
    return sorted({*_claims(METHODS), *_controls()})


def list_methods() -> list[MethodInfo]:
    """List cards of all methods that can be imported, then those of the controls, by name."""
    from textedit_bench.info import MethodInfo

    plugins = [_method_plugin(name, points) for name, points in _claims(METHODS).items()]
    cards = [*_controls().values(), *(plugin for plugin in plugins if isinstance(plugin, MethodInfo))]
    return sorted(cards, key=lambda card: (card.control, card.name))


def broken_methods() -> list[BrokenPlugin]:
    """List registered methods whose card cannot be used."""
    plugins = [_method_plugin(name, points) for name, points in sorted(_claims(METHODS).items())]
    return [plugin for plugin in plugins if isinstance(plugin, BrokenPlugin)]


def method_info(name: str) -> MethodInfo:
    """Return the card of one method or control.

    Raises:
        UserError: the name is unknown, broken, or claimed by two distributions.
    """
    if control := _controls().get(name):
        return control
    claims = _claims(METHODS)
    if name not in claims:
        unknown = unknown_choice("method", name, method_names())
        raise UserError(f"{unknown}. If it is your own, install its package first: pip install -e FOLDER")
    plugin = _method_plugin(name, claims[name])
    if isinstance(plugin, BrokenPlugin):
        raise plugin.error("method")
    return plugin


def load_method(name: str) -> type[Editor]:
    """Return the `Editor` subclass of a method; imports torch.

    Raises:
        UserError: the name is unknown, or its card or class cannot be used.
    """
    info = method_info(name)
    from textedit_bench.editor import Editor

    module, _, attribute = info.editor.partition(":")
    try:
        loaded: Any = getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:
        raise UserError(f"method {name!r} is broken: {info.editor} cannot be imported ({_reason(error)})") from error
    if not (isinstance(loaded, type) and issubclass(loaded, Editor)):
        raise UserError(f"method {name!r} is broken: {info.editor} is not a subclass of textedit_bench.Editor")
    return loaded


def new_editor(name: str, domain: Domain, **settings: Any) -> Editor:
    """Construct a method on a domain, untrained, as the start of a training.

    Args:
        name: the method.
        domain: its domain.
        settings: overrides of the card's settings.

    Raises:
        UserError: unknown method or setting, or the method does not support this data set.
    """
    method = load_method(name)
    served = method.info.datasets
    if served and domain.name not in served:
        raise UserError(f"method {name!r} does not support the data set {domain.name!r}. Valid: {', '.join(served)}")
    return method(domain, **settings)


def load_editor(name: str, domain: Domain, **settings: Any) -> Editor:
    """Construct a method on a domain and load its weights if there are any: our own, else the authors'.

    Arguments as in `new_editor`.
    """
    editor = new_editor(name, domain, **settings)
    weights = editor.weights_path()
    if weights is not None and not weights.exists():
        weights = editor.released_weights()
    if weights is not None and weights.is_file():
        editor.load(weights)
    return editor


def dataset_names() -> list[str]:
    """List registered data set names, including broken ones; imports nothing."""
    return sorted(_claims(DATASETS))


def list_datasets() -> list[DatasetCard]:
    """List cards of all registered data sets that can be read, by name."""
    plugins = [_dataset_plugin(name, points) for name, points in sorted(_claims(DATASETS).items())]
    return [plugin for plugin in plugins if not isinstance(plugin, BrokenPlugin)]


def broken_datasets() -> list[BrokenPlugin]:
    """List registered data sets whose card cannot be used."""
    plugins = [_dataset_plugin(name, points) for name, points in sorted(_claims(DATASETS).items())]
    return [plugin for plugin in plugins if isinstance(plugin, BrokenPlugin)]


def load_dataset(name: str | Path) -> DatasetCard:
    """Load the card of a registered name, of an alias (``lsun_cat`` -> ``cat``), or of a card file.

    Args:
        name: a text that ends in ``.yaml`` or ``.yml`` or contains a path separator is a file; anything else is a name.

    Raises:
        UserError: unknown name, a card that cannot be used, or an alias that two data sets claim.
    """
    from textedit_bench.data.card import read_card

    text = str(name)
    claims = _claims(DATASETS)
    if text in claims:
        plugin = _dataset_plugin(text, claims[text])
        if isinstance(plugin, BrokenPlugin):
            raise plugin.error("dataset")
        return plugin
    if isinstance(name, Path) or is_card_path(text):
        return read_card(Path(name).expanduser())
    cards = list_datasets()
    found = [card for card in cards if text in card.aliases]
    if len(found) > 1:
        raise UserError(f"dataset alias {text!r} is claimed by {' and '.join(repr(card.name) for card in found)}")
    if not found:
        raise unknown_choice("dataset", text, [*claims, *(alias for card in cards for alias in card.aliases)])
    return found[0]


def is_card_path(name: str) -> bool:
    """Whether `load_dataset` treats an unregistered text as the path of a card."""
    return name.endswith((".yaml", ".yml")) or any(separator in name for separator in (os.sep, os.altsep) if separator)


def missing_network(card: DatasetCard, tier: str) -> str | None:
    """Return the first network that a tier needs and whose file is missing, with role, origin, destination, or None."""
    from textedit_bench.assets.locate import missing_role
    from textedit_bench.data.card import OPTIONAL

    needed = [(role, named) for role, named in card.tier(tier).networks.items() if role not in OPTIONAL]
    return next((lacks for role, named in needed if (lacks := missing_role(card, role, named))), None)


def missing_file(card: DatasetCard, tier: str) -> str | None:
    """Return the first missing network of a tier, or its images; None if complete."""
    from textedit_bench.assets.locate import missing_source

    return missing_network(card, tier) or missing_source(card, tier)


def resolve_tier(card: DatasetCard, tier: str) -> str:
    """Return the tier to use; ``"auto"`` is full if everything it needs exists and no asset is corrupt, else mini.

    If some of the full tier's networks are here, its first missing or wrong item is logged, so that the two tiers are
    not confused.

    Raises:
        UserError: the card has no such tier, or no tier is complete enough for ``"auto"``.
    """
    if tier != "auto":
        if tier not in card.tiers:
            raise unknown_choice(f"tier of dataset {card.name}", tier, ["auto", *card.tiers])
        return tier
    from textedit_bench.assets.locate import has_some_network, spoilt_file

    if "full" not in card.tiers:
        reason = "the card describes none"
    elif lacks := missing_file(card, "full") or card.tier("full").lacks():
        reason = f"missing {lacks}"
    elif spoilt := spoilt_file(card, "full"):
        reason = f"wrong {spoilt}"
    else:
        return "full"
    if "mini" not in card.tiers:
        raise UserError(f"dataset {card.name}: no tier can be used; no mini tier, and no full one: {reason}")
    if "full" in card.tiers and has_some_network(card, "full"):
        short = reason.partition(" (")[0] if reason.startswith("missing") else reason
        log.info("%s: tier mini, since the full one is incomplete (textedit-bench doctor): %s", card.name, short)
    return "mini"


def _claims(group: str) -> dict[str, list[EntryPoint]]:
    """Return every registered name of a group with the entry points that claim it."""
    claims: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=group):
        claims.setdefault(point.name, []).append(point)
    return claims


def _controls() -> dict[str, ControlInfo]:
    from textedit_bench.controls import cards

    return cards.CONTROLS


def _method_plugin(name: str, points: list[EntryPoint]) -> MethodInfo | BrokenPlugin:
    from textedit_bench.info import MethodInfo

    if name in _controls():
        return BrokenPlugin(name, " and ".join(map(_origin, points)), "a control has this name")
    loaded = _load(name, points)
    if isinstance(loaded, BrokenPlugin):
        return loaded
    value, origin = loaded
    if not isinstance(value, MethodInfo):
        return BrokenPlugin(name, origin, f"expected a card (MethodInfo), got {type(value).__name__}")
    if value.name != name:
        return BrokenPlugin(name, origin, f"its card calls itself {value.name!r}")
    return value


def _dataset_plugin(name: str, points: list[EntryPoint]) -> DatasetCard | BrokenPlugin:
    from textedit_bench.data.card import DatasetCard, read_card

    loaded = _load(name, points)
    if isinstance(loaded, BrokenPlugin):
        return loaded
    value, origin = loaded
    if not isinstance(value, DatasetCard):
        if not isinstance(value, (str, os.PathLike)):
            return BrokenPlugin(name, origin, f"expected a card or its path, got {type(value).__name__}")
        try:
            value = read_card(Path(value))
        except UserError as error:
            return BrokenPlugin(name, origin, str(error))
    if value.name != name:
        return BrokenPlugin(name, origin, f"its card calls itself {value.name!r}")
    return value


def _load(name: str, points: list[EntryPoint]) -> tuple[Any, str] | BrokenPlugin:
    """Load the object of a name with its origin; a `BrokenPlugin` if that fails or several claim the name."""
    origin = " and ".join(_origin(point) for point in points)
    if len(points) > 1:
        return BrokenPlugin(name, origin, f"{len(points)} distributions claim this name; uninstall all but one")
    try:
        return points[0].load(), origin
    except (Exception, SystemExit) as error:  # a third-party module may raise anything when imported
        return BrokenPlugin(name, origin, f"cannot be imported ({_reason(error)})")


def _origin(point: EntryPoint) -> str:
    dist = point.dist
    return f"{point.value} ({dist.name} {dist.version})" if dist else point.value


def _reason(error: BaseException) -> str:
    first = str(error).strip().splitlines()
    return f"{type(error).__name__}: {first[0]}" if first else type(error).__name__
