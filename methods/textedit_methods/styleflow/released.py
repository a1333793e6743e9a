"""Read the authors' flow: a bare state dict of FFJORD's modules, its counters left out."""

from __future__ import annotations

import re

from textedit_bench.models.released import ReleasedTensors, StateDictAdapter
from textedit_methods.styleflow.network import ConditionalFlow

_SAME = re.compile(r"^chain\.\d{1,2}\.(?:weight|bias|running_mean|running_var|sqrt_end_time)$")
_LAYER = re.compile(
    r"^(chain\.\d{1,2})\.odefunc\.diffeq\.layers\.(\d{1,2})\.(_layer|_hyper_gate|_hyper_bias)\.(weight|bias)$"
)
_NAMES = {"_layer": "linear", "_hyper_gate": "gate", "_hyper_bias": "shift"}
_OURS = re.compile(r"^(chain\.(\d+))\.layers\.(\d+)\.linear\.weight$")


def _own_name(name: str) -> str | None:
    if match := _LAYER.match(name):
        return f"{match[1]}.layers.{match[2]}.{_NAMES[match[3]]}.{match[4]}"
    return name if _SAME.match(name) else None


def _build(tensors: ReleasedTensors) -> ConditionalFlow:
    """The flow whose parts and sizes the tensors tell."""
    layers = [match for name in tensors.state if (match := _OURS.match(name))]
    if not layers:
        tensors.refuse("no layer of a flow in it")
    first = min(layers, key=lambda match: int(match[2]))[1]
    count = sum(match[1] == first for match in layers)
    sizes = [tensors.matrix(f"{first}.layers.{number}.linear.weight", "width") for number in range(count)]
    _, told = tensors.matrix(f"{first}.layers.0.gate.weight", "condition")
    hidden, blocks = [out for out, _ in sizes[:-1]], len({match[1] for match in layers})
    norms = any(name.endswith("running_mean") for name in tensors.state)
    return ConditionalFlow(sizes[0][1], hidden, max(told - 1, 0), blocks=blocks, norms=norms)


RELEASED = StateDictAdapter(
    trainer="StyleFlow's trainer",
    own_name=_own_name,
    build=_build,
    missing="no flow of StyleFlow in it (no tensor named like chain.1.odefunc.diffeq.layers.0...)",
)
