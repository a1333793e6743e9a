"""Every network of the mini tier by its role: how it is trained, and where its weights go.

`train_role` writes ``<out>/shared/clip.safetensors``, ``<out>/<dataset>/identity.safetensors`` and so on, with the
record of how they came about; `textedit-bench worlds train` calls it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from textedit_bench.models.loading import load_own
from textedit_bench.models.storage import read_tensors, save_network
from textedit_bench.worlds.training.fit import Plan, parameter_count
from textedit_bench.worlds.world import World


@dataclass(frozen=True)
class Role:
    """How one network is made.

    Attributes:
        train: ``"module:function"``: (world, role name, plan, cache folder) -> network, seconds, figures.
        kind: the kind in the file's header.
        steps, seed, learning_rate: the plan's defaults.
        shared: one network serves all worlds.
        needs: roles of the same world whose finished networks the function takes as keyword arguments.
    """

    train: str
    kind: str
    steps: int
    seed: int
    learning_rate: float = 2e-3
    shared: bool = False
    needs: tuple[str, ...] = ()


_HERE = "textedit_bench.worlds.training"
ROLES = {
    "clip": Role(f"{_HERE}.clip:train", "world-clip", 2400, 11, 1.5e-3, shared=True),
    "identity": Role(f"{_HERE}.identity:train", "world-identity", 2400, 21),
    "generator": Role(f"{_HERE}.generator:train", "stylegan2-generator", 10_000, 0, 8e-3),
    "encoder": Role(f"{_HERE}.encoder:train", "world-encoder", 1200, 71, 6e-4, needs=("generator", "identity")),
    "discriminator": Role(f"{_HERE}.discriminator:train", "stylegan2-discriminator", 1500, 81, needs=("generator",)),
    "oracle": Role(f"{_HERE}.attributes:train", "world-oracle", 2400, 31),
    "second_oracle": Role(f"{_HERE}.attributes:train", "world-oracle", 1600, 41),
    "judge_clip": Role(f"{_HERE}.clip:train", "world-clip", 3600, 12, 1.5e-3, shared=True),
    "judge_identity": Role(f"{_HERE}.identity:train", "world-identity", 1800, 22),
    "perceptual": Role(f"{_HERE}.attributes:train", "world-perceptual", 1200, 51),
    "features": Role(f"{_HERE}.attributes:train", "world-features", 1200, 61),
}
"""In the order in which others need them."""

Train = Callable[..., tuple[nn.Module, float, dict[str, Any]]]


@dataclass(frozen=True)
class Options:
    """What a call may ask for instead of a role's own settings.

    Attributes:
        steps, seed, learning_rate: None keeps the role's.
        further: start from the role's present weights; the record keeps both stages.
    """

    steps: int | None = None
    seed: int | None = None
    learning_rate: float | None = None
    further: bool = False


def train_role(world: World, dataset: str, name: str, out: Path, work: Path, options: Options | None = None) -> Path:
    """Train one role and write its weights with the record of how they came about.

    Args:
        world: what renders.
        dataset: data set whose folder the weights go to.
        name: a key of `ROLES`.
        out: root of the weights.
        work: checkpoints and rendered pools.
        options: changes to the role's settings.
    """
    options = options or Options()
    given = {k: v for k, v in vars(options).items() if k != "further" and v is not None}
    role = replace(ROLES[name], **given)
    owner = "shared" if role.shared else dataset
    path = out / owner / f"{name}.safetensors"
    earlier: list[dict[str, Any]] = json.loads(read_tensors(path)[1]["record"])["stages"] if options.further else []
    folder = work / owner / f"{name}-{len(earlier)}-{role.steps}-{role.seed}"
    plan = Plan(role.steps, folder, role.seed, role.learning_rate, initial=path if options.further else None)
    module, _, function = role.train.partition(":")
    torch.manual_seed(role.seed)
    train: Train = getattr(import_module(module), function)
    needed = {need: load_own(out / dataset / f"{need}.safetensors") for need in role.needs}
    network, seconds, figures = train(world, name, plan, work / "pools", **needed)
    changes = "".join(f" --{k.replace('_', '-')} {v}" for k, v in given.items()) + " --further" * options.further
    stage = {
        "command": f"textedit-bench worlds train {name} --dataset {dataset}{changes}",
        "seed": role.seed,
        "steps": role.steps,
        "wall_time_s": round(seconds),
    }
    record = {"stages": [*earlier, stage], "parameters": parameter_count(network), "figures": figures}
    save_network(network, path, role.kind, half=True, extra_metadata={"record": json.dumps(record)})
    print(f"{path}: {path.stat().st_size / 1000:.0f} KB\n{json.dumps(record, indent=1)}", flush=True)
    return path
