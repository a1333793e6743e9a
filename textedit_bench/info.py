"""The card of a method: facts and settings; imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.ranges import NumberRange, Valid
from textedit_bench.settings import MethodSettings

Preset = tuple[str | None, tuple[str, ...] | None, Mapping[str, Any]]
"""Tier, or None for any; kinds of data set, or None for any; settings that replace the defaults there."""


@dataclass(frozen=True)
class MethodInfo:
    """A method's card.

    Attributes:
        name: the registry name, as typed on the command line.
        title: how the method is written in tables.
        paper: title of the paper.
        arxiv: arXiv id, or ``""``.
        editor: ``"module:Class"`` of the `Editor` subclass, imported only when asked for.
        space: latent space of the codes it reads and returns.
        trains: what it trains: nothing, one network per prompt, or one per data set.
        tasks: subset of ``("edit", "generate")``.
        strength_default: the strength that reproduces the published default.
        strength_meaning: one sentence on what strength 1.0 is; empty for a method that only generates.
        own_inversion: whether strength 0 returns the method's own inversion instead of the given codes.
        in_loop: networks the method is trained or optimised against, role -> name (``clip``, ``identity``).
        weights_licence: licence of the official weights.
        control: whether the row is a control of the harness instead of a method.
        caveat: tier -> one sentence of caveat about its rows; a footnote of that tier's tables.
        released: tier -> data set -> ids of the assets that the authors released for it, the weights first; used if
            they were downloaded and nothing was trained here.
        version: increased manually when the method's outputs change.
        model: the method's settings as a class, from which ``settings``, ``training``, ``valid`` and ``help`` follow.
        settings: settings of an edit with their defaults, name -> value; part of a cell's identity.
        tier_settings: tier -> values that replace those of ``settings`` there.
        training: settings of the training with their defaults. Edits depend on them only through the weights.
        valid: setting, of an edit or the training -> valid values that its type alone does not determine.
        help: setting -> description.
        presets: settings that replace the defaults for some tiers and kinds of picture.
        datasets: data sets that the method supports; empty means any.
        trial: settings of edits and training with which either takes seconds on a toy data set, used by
            conformance checks (`textedit_bench.testing`).
        miniature: for a method of released weights alone: ``"module:function"``, called with a folder and a `Domain`;
            it writes small random networks there and returns the settings that name them, for conformance checks.
    """

    name: str
    title: str
    paper: str
    arxiv: str
    editor: str
    space: Literal["w", "w+", "s", "image"]
    trains: Literal["none", "per-prompt", "per-dataset"]
    tasks: tuple[str, ...] = ("edit",)
    strength_default: float = 1.0
    strength_meaning: str = ""
    own_inversion: bool = False
    in_loop: dict[str, str] = field(default_factory=dict)
    weights_licence: str = ""
    control: bool = False
    caveat: dict[str, str] = field(default_factory=dict)
    released: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    version: int = 1
    model: type[MethodSettings] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    tier_settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    valid: dict[str, Valid] = field(default_factory=dict)
    help: dict[str, str] = field(default_factory=dict)
    presets: tuple[Preset, ...] = ()
    datasets: tuple[str, ...] = ()
    trial: dict[str, Any] = field(default_factory=dict)
    miniature: str = ""

    def __post_init__(self) -> None:
        """Check that the card is consistent.

        Raises:
            ValueError: an invalid default, or valid values of a setting that does not exist.
        """
        if self.model is not None:
            for name, value in (
                ("settings", self.model.defaults(training=False)),
                ("training", self.model.defaults(training=True)),
                ("valid", self.model.valid()),
                ("help", self.model.help()),
            ):
                object.__setattr__(self, name, value)
        known = {**self.settings, **self.training}
        if unknown := sorted(set(self.valid) - set(known)):
            raise ValueError(f"card of {self.name}: valid values of unknown settings: {', '.join(unknown)}")
        try:
            for given in (known, *self.tier_settings.values(), *(row[2] for row in self.presets), self.trial):
                self.check_settings(given, training=True)
        except UserError as error:
            raise ValueError(f"card of {self.name}: {error}") from error

    def settings_for(self, tier: str) -> dict[str, Any]:
        """Return the default settings of an edit in a tier."""
        return {**self.settings, **self.tier_settings.get(tier, {})}

    def released_for(self, tier: str, dataset: str) -> tuple[str, ...]:
        """Return the asset ids of the authors' files for a data set; empty if there are none."""
        return tuple(self.released.get(tier, {}).get(dataset, ()))

    def identity_settings(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of an edit as part of a cell's identity, without later ones at their defaults."""
        later = self.model.later() if self.model is not None else {}
        return {name: value for name, value in settings.items() if name not in later or value != later[name]}

    def changed_settings(self, settings: Mapping[str, Any], tier: str) -> dict[str, Any]:
        """Return those settings in a cell's identity that are not the tier's defaults, without the seed of the run."""
        usual = self.identity_settings(self.settings_for(tier))
        return {name: value for name, value in settings.items() if name != "seed" and usual.get(name) != value}

    def preset(self, tier: str, kind: str) -> dict[str, Any]:
        """Return settings that replace the defaults for a data set of ``kind`` in ``tier``; later rows win."""
        chosen: dict[str, Any] = {}
        for for_tier, for_kinds, settings in self.presets:
            if for_tier in (None, tier) and (for_kinds is None or kind in for_kinds):
                chosen.update(settings)
        return chosen

    def check_settings(self, given: Mapping[str, Any], *, training: bool) -> None:
        """Refuse unknown settings, and values of a wrong type or out of range.

        Args:
            given: name -> value.
            training: whether settings of the training are allowed.

        Raises:
            UserError: names the setting and the valid values.
        """
        known = {**self.settings, **(self.training if training else {})}
        for name, value in given.items():
            if name not in known:
                if name in self.training:
                    raise UserError(f"setting {name} of {self.name} belongs to its training: give it to train")
                raise unknown_choice(f"setting of {self.name}", name, known)
            default = known[name]
            valid = (int, float) if isinstance(default, float) else type(default)
            truth = isinstance(value, bool) and not isinstance(default, bool)  # Python treats True as 1
            if default is not None and (truth or not isinstance(value, valid)):
                raise UserError(f"setting {name} of {self.name} must be {type(default).__name__}, got {value!r}")
            self._check_value(name, value, whole=isinstance(default, int))

    def _check_value(self, name: str, value: Any, *, whole: bool) -> None:
        valid = self.valid.get(name)
        if isinstance(valid, tuple) and value not in valid:
            raise unknown_choice(f"setting {name} of {self.name}", str(value), valid)
        if isinstance(valid, NumberRange) and value not in valid:
            raise UserError(
                f"setting {name} of {self.name}: {value} is out of range; valid: {valid.describe(whole=whole)}"
            )

    def to_json(self) -> dict[str, Any]:
        """Return plain values for ``--json`` listings."""
        known = {**self.settings, **self.training}
        valid = {
            name: values.describe(whole=isinstance(known[name], int))
            if isinstance(values, NumberRange)
            else list(values)
            for name, values in self.valid.items()
        }
        return {**asdict(replace(self, model=None)), "valid": valid}
