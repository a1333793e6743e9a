"""Ground truth of procedural worlds: did the asked attribute change, and did everything else stay?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor

from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.metrics import truth
from textedit_bench.metrics.column import Column
from textedit_bench.metrics.images import ImageFeatures
from textedit_bench.metrics.protocol import Protocol, protocol_id
from textedit_bench.metrics.sample import Sample

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.worlds.factors import Factors
    from textedit_bench.worlds.world import World

# metric -> (oracle's role, compared with, title)
_METRICS = {
    "success": ("oracle", "truth", "Success"),
    "success_second": ("second_oracle", "truth", "Success (second oracle)"),
    "preservation": ("oracle", "inversion", "Preservation"),
    "preservation_photo": ("oracle", "truth", "Preservation, to photo"),
    "oracles_agree": ("second_oracle", "oracle", "Oracles agree"),
}
_ROLES = ("oracle", "second_oracle")


class TruthScorer:
    """Oracles with ``predict(images)`` -> value index per attribute [B, A], -1 where they abstain."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self.protocols: dict[str, Protocol] = {}
        self._visible: dict[tuple[bytes, tuple[tuple[str, str], ...]], tuple[Tensor, Tensor]] = {}
        self._labels = {role: ImageFeatures(partial(self._predict, role)) for role in _ROLES if domain.has(role)}
        if domain.world is None:
            return
        for name, (role, reference, title) in _METRICS.items():
            if role not in self._labels or (name == "oracles_agree" and "oracle" not in self._labels):
                continue
            judge = f"{domain.tier}-{role}"
            digest = domain.digest(role)
            if name == "oracles_agree":
                judge = f"{domain.tier}-oracle:{domain.digest('oracle')}/{judge}"
            identity = protocol_id(name, network=judge, digest=digest, resize="network", reference=reference)
            self.protocols[name] = Protocol(identity, title, True)

    def score(self, sample: Sample) -> dict[str, Column]:
        """Columns ``success``, ``success_second``, ``preservation``, ``preservation_photo``, ``oracles_agree``."""
        world = self._domain.world
        if world is None or not self.protocols:
            return {}
        edit = {role: labels(sample.edit, keep=False) for role, labels in self._labels.items()}
        columns = {}
        if "oracles_agree" in self.protocols:
            columns["oracles_agree"] = truth.agreement(edit["oracle"], edit["second_oracle"])
        asked = asked_indices(world, sample.prompt.asked)
        if not asked or sample.factors is None:
            unknown = truth.unknown(len(sample.edit))
            return {**{name: unknown for name in self.protocols}, **columns}
        actual = sample.factors.attributes.cpu()
        visible, through = self._seen(world, sample.factors, sample.prompt.asked)
        for name, role in (("success", "oracle"), ("success_second", "second_oracle")):
            if name in self.protocols:
                columns[name] = truth.success(edit[role], actual, visible, asked)
        if "preservation" in self.protocols:
            before = self._labels["oracle"](sample.inversion, keep=True)
            columns["preservation"] = truth.preservation(edit["oracle"], before, through, asked)
            columns["preservation_photo"] = truth.preservation(edit["oracle"], actual, through, asked)
        return columns

    def _predict(self, role: str, images: Tensor) -> Tensor:
        oracle = self._domain.network(role)
        names = [attribute.name for attribute in self._domain.world.attributes] if self._domain.world else []
        if list(oracle.attributes) != names:
            raise UserError(f"{role} of {self._domain.name} knows {list(oracle.attributes)}, the world has {names}")
        labels: Tensor = oracle.predict(images)
        return labels

    def _seen(self, world: World, factors: Factors, asked: dict[str, str]) -> tuple[Tensor, Tensor]:
        """What the source shows, and what of it a perfect edit still shows, both bool [N, A]; rendered once."""
        parts = (factors.attributes, factors.identity, factors.nuisance)
        content = b"|".join(part.cpu().contiguous().numpy().tobytes() for part in parts)
        key = (content, tuple(sorted(asked.items())))
        if key not in self._visible:
            visible = world.render(factors).visible.cpu()
            self._visible[key] = visible, visible & world.visible_through(factors, asked).cpu()
        return self._visible[key]


def asked_indices(world: World, asked: dict[str, str]) -> dict[int, int]:
    """Position and value index of every asked attribute.

    Raises:
        UserError: an attribute or a value that the world does not have.
    """
    positions = {attribute.name: i for i, attribute in enumerate(world.attributes)}
    found = {}
    for name, value in asked.items():
        if name not in positions:
            raise unknown_choice(f"attribute of world {world.name}", name, positions)
        values = list(world.attributes[positions[name]].values)
        if value not in values:
            raise unknown_choice(f"value of attribute {name}", value, values)
        found[positions[name]] = values.index(value)
    return found
