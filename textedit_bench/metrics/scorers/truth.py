"""Ground truth of procedural worlds: whether the requested attribute changed, and whether all others are preserved.

Oracles read the attributes off an edit. Colours are also measured from pixels, a check of the oracle that does not
depend on training: for an attribute whose place in the picture does not depend on its value (hair colour, skin, eyes,
background, ...), the mean colour of that place in the edit is compared with the mean colour it has in renderings of
every value. The nearest value is the result.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.errors import UserError
from textedit_bench.metrics import truth
from textedit_bench.metrics.column import (
    CHANGED,
    NO_TRUTH,
    NOT_IN_PIXELS,
    OK,
    Column,
    Protocol,
    protocol_id,
)
from textedit_bench.metrics.images import ImageFeatures, LRUCache
from textedit_bench.metrics.sample import Sample
from textedit_bench.metrics.truth import KEPT, Renders, content_of

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.roles import OracleRole
    from textedit_bench.worlds.world import Factors


SAME_PLACE = 0.95
"""Share of the union of an attribute's masks over its values that every value occupies."""
APART = 0.1
"""Minimum distance of two values' mean colours, in RGB of [-1, 1]; closer ones cannot be distinguished."""

Asked = tuple[tuple[str, str], ...]


class ColourScorer:
    """Column ``success_pixels``; an image counts if every requested attribute is visible and readable from pixels."""

    def __init__(self, renders: Renders | None) -> None:
        self._renders = renders
        self.protocols: dict[str, Protocol] = {}
        self._known: LRUCache[list[_Reading] | None] = LRUCache(KEPT)
        if renders is not None:
            identity = protocol_id(
                "success-mean-colour", network="none", digest="", resize="native", reference="truth", dtype="float64"
            )
            self.protocols["success_pixels"] = Protocol(identity, "Success (pixels)", True)

    def score(self, sample: Sample) -> dict[str, Column]:
        """Return 1 where every requested value is the nearest in colour, else 0."""
        if self._renders is None:
            return {}
        perfect, factors = sample.perfect, sample.factors
        if perfect is None or factors is None:
            return {"success_pixels": Column.without_value(len(sample.edit), NO_TRUTH)}
        readings = self._readings(self._renders, factors, tuple(sorted(sample.prompt.asked.items())))
        if readings is None:
            return {"success_pixels": Column.without_value(len(sample.edit), NOT_IN_PIXELS)}
        known = truth.states_of(perfect.actual, perfect.visible, perfect.asked)
        readable = torch.stack([reading.readable for reading in readings]).all(0)
        images = sample.edit.images.double().cpu()
        done = torch.stack([reading.shows_wanted(images) for reading in readings]).all(0)
        states = [NOT_IN_PIXELS if k == OK and not r else k for k, r in zip(known, readable.tolist(), strict=True)]
        return {"success_pixels": Column.of(done.double(), states)}

    def _readings(self, renders: Renders, factors: Factors, asked: Asked) -> list[_Reading] | None:
        """Return how to read every requested attribute, or None if one has no fixed place; rendered once per prompt."""

        def read() -> list[_Reading] | None:
            readings = [_reading(renders, factors, dict(asked), name) for name, _ in asked]
            whole = [reading for reading in readings if reading is not None]
            return whole if len(whole) == len(readings) else None

        return self._known((content_of(factors), asked), read)


class _Reading:
    """How to read the value of one attribute from N edits.

    Args:
        place: bool [N, H, W], where the attribute is visible in the perfect edit.
        colours: mean colour of that place under every value, float64 [N, values, 3].
        wanted: index of the asked value.
    """

    def __init__(self, place: Tensor, colours: Tensor, wanted: int) -> None:
        self.place, self.colours, self.wanted = place, colours, wanted
        gaps = torch.cdist(colours, colours) + torch.eye(colours.shape[1]) * 1e9
        self.readable = (place.flatten(1).sum(1) > 0) & (gaps.flatten(1).amin(1) >= APART)

    def shows_wanted(self, images: Tensor) -> Tensor:
        """Return whether the requested value's colour is the nearest to the edit's, bool [N]."""
        measured = _mean_colour(images, self.place)
        nearest: Tensor = (self.colours - measured[:, None]).norm(dim=-1).argmin(1)
        return nearest == self.wanted


def _reading(renders: Renders, factors: Factors, asked: dict[str, str], name: str) -> _Reading | None:
    world = renders.world
    values = world.attributes[world.index(name)].values
    drawn = [renders(world.with_values(factors, {**asked, name: value})) for value in values]
    if any(name not in render.masks for render in drawn):
        return None
    masks = torch.stack([render.masks[name] for render in drawn])
    if masks.all(0).sum() < SAME_PLACE * masks.any(0).sum():
        return None
    place = masks.all(0)
    colours = torch.stack([_mean_colour(render.images.double(), place) for render in drawn], 1)
    return _Reading(place, colours, values.index(asked[name]))


def _mean_colour(images: Tensor, place: Tensor) -> Tensor:
    """Compute the mean RGB [N, 3] over the pixels of a mask [N, H, W]; 0 if it is empty."""
    weight = place[:, None].to(images.dtype)
    return (images * weight).sum((2, 3)) / weight.sum((2, 3)).clamp(min=1.0)


# metric -> (oracle's role, compared with, title)
_METRICS = {
    "success": ("oracle", "truth", "Success"),
    "success_second": ("second_oracle", "truth", "Success (second oracle)"),
    "preservation": ("oracle", "inversion", "Preservation"),
    "preservation_photo": ("oracle", "truth", "Preservation, to photo"),
    "oracles_agree": ("second_oracle", "oracle", "Oracles agree"),
}
_ROLES: tuple[OracleRole, ...] = ("oracle", "second_oracle")


class TruthScorer:
    """Oracles with ``predict(images)`` -> value index per attribute [B, A], -1 where they abstain."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self.protocols: dict[str, Protocol] = {}
        self._labels = {role: ImageFeatures(partial(self._predict, role)) for role in _ROLES if domain.has(role)}
        if domain.world is None:
            return
        for name, (role, reference, title) in _METRICS.items():
            if role not in self._labels or (name == "oracles_agree" and "oracle" not in self._labels):
                continue
            judge = f"{domain.tier}-{role}"
            if name == "oracles_agree":
                judge = f"{domain.tier}-oracle:{domain.digest('oracle')}/{judge}"
            self.protocols[name] = _protocol(name, judge, domain.digest(role), reference, title, True)
        if "oracle" in self._labels:
            self._changed = [CHANGED + attribute.name for attribute in domain.world.attributes]
            for name in self._changed:
                title = f"Changed: {name.removeprefix(CHANGED)}"
                judge, digest = f"{domain.tier}-oracle", domain.digest("oracle")
                self.protocols[name] = _protocol(name, judge, digest, "inversion", title, False)

    def score(self, sample: Sample) -> dict[str, Column]:
        """Return the columns of `protocols`, including one ``changed_<attribute>`` per attribute."""
        if not self.protocols:
            return {}
        edit = {role: labels(sample.edit, keep=False) for role, labels in self._labels.items()}
        columns = {}
        if "oracles_agree" in self.protocols:
            columns["oracles_agree"] = truth.agreement(edit["oracle"], edit["second_oracle"])
        perfect = sample.perfect
        if perfect is None:
            unknown = Column.without_value(len(sample.edit), NO_TRUTH)
            return {**{name: unknown for name in self.protocols}, **columns}
        for name, role in zip(("success", "success_second"), _ROLES, strict=True):
            if name in self.protocols:
                columns[name] = truth.success(edit[role], perfect.actual, perfect.visible, perfect.asked)
        if "oracle" in self._labels:
            before = self._labels["oracle"](sample.inversion, keep=True)
            through, asked = perfect.through, perfect.asked
            columns["preservation"] = truth.preservation(edit["oracle"], before, through, asked)
            columns["preservation_photo"] = truth.preservation(edit["oracle"], perfect.actual, through, asked)
            changes = truth.changes(edit["oracle"], before, through)
            columns.update(zip(self._changed, changes, strict=True))
        return columns

    def _predict(self, role: OracleRole, images: Tensor) -> Tensor:
        oracle = self._domain.network(role)
        names = [attribute.name for attribute in self._domain.world.attributes] if self._domain.world else []
        if list(oracle.attributes) != names:
            raise UserError(f"{role} of {self._domain.name} knows {list(oracle.attributes)}, the world has {names}")
        return oracle.predict(images)


def _protocol(name: str, judge: str, digest: str, reference: str, title: str, higher: bool) -> Protocol:
    identity = protocol_id(name, network=judge, digest=digest, resize="network", reference=reference)
    return Protocol(identity, title, higher)
