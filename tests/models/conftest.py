"""Deterministic official-layout checkpoints: the parity fixtures and writers of every file format."""

from __future__ import annotations

import importlib.util
import pickle
import sys
import types
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

PARITY = Path(__file__).parent / "parity"


@pytest.fixture(scope="session")
def fill() -> ModuleType:
    """The fill rule of the parity fixtures (parity/fill.py)."""
    spec = importlib.util.spec_from_file_location("parity_fill", PARITY / "fill.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Fixture:
    """One parity fixture: its official tensors, its inputs and the comparison with the stored outputs."""

    def __init__(self, fill: ModuleType, name: str):
        self.fill = fill
        self.manifest, self.outputs = fill.load(PARITY / name)
        fill.self_check(self.manifest)

    def state(self) -> dict[str, Tensor]:
        return {
            name: torch.from_numpy(np.asarray(array)) for name, array in self.fill.state_dict(self.manifest).items()
        }

    def extra(self, name: str) -> Tensor:
        shape = self.manifest["extra"][name]["shape"]
        return torch.from_numpy(self.fill.tensor(name, shape, self.manifest["salt"]))

    def input(self, name: str) -> Tensor:
        return torch.from_numpy(self.fill.make_input(self.manifest, name))

    def check(self, name: str, value: Tensor) -> None:
        worst, tolerance = self.fill.compare(self.manifest, self.outputs, name, value.detach().numpy())
        assert worst <= tolerance, f"{name}: {worst:.3g} > {tolerance:.3g}"


@pytest.fixture(scope="session")
def parity(fill) -> Callable[[str], Fixture]:
    """parity("stylegan2_g64_cm2") -> Fixture."""
    return lambda name: Fixture(fill, name)


def _stub(monkeypatch: pytest.MonkeyPatch, dotted: str) -> ModuleType:
    parts = dotted.split(".")
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        if name not in sys.modules:
            monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    return sys.modules[dotted]


@pytest.fixture
def write_ada(monkeypatch) -> Callable[..., Path]:
    """Writes networks as stylegan2-ada-pytorch does: persistent objects that carry source text and state.

    Call with the path and {"G_ema": (state dict, attributes by module path)}; attributes of "" belong to the root.
    """
    persistence = _stub(monkeypatch, "torch_utils.persistence")

    def reconstruct(meta: dict[str, Any]) -> None:
        raise AssertionError("reading must not call this")

    reconstruct.__name__ = reconstruct.__qualname__ = "_reconstruct_persistent_obj"
    reconstruct.__module__ = "torch_utils.persistence"
    monkeypatch.setattr(persistence, "_reconstruct_persistent_obj", reconstruct, raising=False)

    class Node:
        def __init__(self, name: str):
            self.name, self.state = (
                name,
                {"_parameters": OrderedDict(), "_buffers": OrderedDict(), "_modules": OrderedDict()},
            )

        def __reduce__(self):
            meta = dict(
                type="class",
                version=6,
                module_src="raise SystemExit('executed')",
                class_name=self.name,
                state=self.state,
            )
            return reconstruct, (meta,)

    def tree(state: dict[str, Tensor], attributes: dict[str, dict[str, Any]]) -> Node:
        root = Node("Root")
        nodes = {"": root}
        for name, tensor in state.items():
            path, _, leaf = name.rpartition(".")
            node = nodes[""]
            for depth in range(1, len(path.split(".")) + 1 if path else 1):
                part = ".".join(path.split(".")[:depth])
                if part not in nodes:
                    nodes[part] = Node(part)
                    node.state["_modules"][part.rpartition(".")[2]] = nodes[part]
                node = nodes[part]
            buffer = leaf in ("resample_filter", "noise_const", "w_avg")
            node.state["_buffers" if buffer else "_parameters"][leaf] = tensor if buffer else torch.nn.Parameter(tensor)
        for path, values in attributes.items():
            nodes[path].state.update(values)
        return root

    def write(path: Path, networks: dict[str, tuple[dict[str, Tensor], dict[str, dict[str, Any]]]]) -> Path:
        content: dict[str, Any] = {name: tree(*network) for name, network in networks.items()}
        content |= {"training_set_kwargs": None, "augment_pipe": None}
        path.write_bytes(pickle.dumps(content))
        return path

    return write


@pytest.fixture
def write_tf(monkeypatch) -> Callable[..., Path]:
    """Writes (G, D, Gs) as NVIDIA's TensorFlow code does, from {variable: array} of each network."""
    module = _stub(monkeypatch, "dnnlib.tflib.network")

    class Network:
        def __setstate__(self, state):
            raise AssertionError("reading must not call this")

    Network.__module__, Network.__qualname__ = "dnnlib.tflib.network", "Network"
    monkeypatch.setattr(module, "Network", Network, raising=False)

    def network(variables: dict[str, np.ndarray], **static: Any) -> Network:
        parts: dict[str, dict[str, np.ndarray]] = {}
        own = []
        for name, array in variables.items():
            head, _, rest = name.partition("/")
            if head in ("mapping", "synthesis"):
                parts.setdefault(head, {})[rest] = array
            else:
                own.append((name, array))
        made = Network.__new__(Network)
        made.__dict__.update(
            version=4,
            name="G",
            static_kwargs=static,
            components={head: network(inner) for head, inner in parts.items()},
            build_module_src="raise SystemExit('executed')",
            build_func_name="G_main",
            variables=own,
        )
        return made

    def write(path: Path, *networks: dict[str, np.ndarray], **static: Any) -> Path:
        path.write_bytes(pickle.dumps(tuple(network(n, **static) for n in networks), protocol=4))
        return path

    return write
