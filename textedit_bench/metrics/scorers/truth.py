"""Ground truth of procedural worlds: whether the requested attribute changed, and whether all others are preserved."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from torch import Tensor

from textedit_bench.errors import UserError
from textedit_bench.metrics import truth
from textedit_bench.metrics.bounds import CHANGED
from textedit_bench.metrics.column import NO_TRUTH, Column
from textedit_bench.metrics.images import ImageFeatures
from textedit_bench.metrics.protocol import Protocol, protocol_id
from textedit_bench.metrics.sample import Sample

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.roles import OracleRole


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
