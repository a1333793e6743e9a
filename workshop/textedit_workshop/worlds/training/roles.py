"""All networks of the mini tier by role: their training, and the location of their weights.

`train_role` writes ``<out>/shared/clip.safetensors``, ``<out>/<dataset>/identity.safetensors`` and so on, with the
record of how they came about; `textedit-bench worlds train` calls it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from textedit_bench.data.destination import check_folder
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.models.loading import load_own
from textedit_bench.models.storage import read_tensors, save_network
from textedit_bench.worlds.world import World
from textedit_workshop.worlds.training.fit import Plan, parameter_count
from textedit_workshop.worlds.training.mapping import SHAPES


@dataclass(frozen=True)
class Role:
    """How one network is trained.

    Attributes:
        train: ``"module:function"``: (world, role name, plan, cache folder) -> network, seconds, figures.
        kind: the kind in the file's header.
        steps, seed, learning_rate: the plan's defaults.
        shared: one network serves all worlds.
        needs: roles of the same world whose finished networks the function takes as keyword arguments.
        continues: whether the function starts from the plan's initial weights, if there are any.
        needs_further: what it needs, beyond ``needs``, where it starts from present weights.
    """

    train: str
    kind: str
    steps: int
    seed: int
    learning_rate: float = 2e-3
    shared: bool = False
    needs: tuple[str, ...] = ()
    continues: bool = False
    needs_further: tuple[str, ...] = ()

    def required(self, further: bool) -> tuple[str, ...]:
        """Roles of the networks that a training needs."""
        return (*self.needs, *(self.needs_further if further else ()))


_HERE = "textedit_workshop.worlds.training"
_EDITS = ("generator",)  # oracles see edits of the generator in their second stage
ROLES = {
    "clip": Role(f"{_HERE}.clip:train", "world-clip", 3600, 11, 1.5e-3, shared=True, continues=True),
    "identity": Role(f"{_HERE}.identity:train", "world-identity", 2400, 21, continues=True),
    "generator": Role(f"{_HERE}.generator:train", "stylegan2-generator", 10_000, 0, 8e-3, continues=True),
    "encoder": Role(f"{_HERE}.encoder:train", "world-encoder", 1200, 71, 6e-4, needs=("generator", "identity")),
    "discriminator": Role(f"{_HERE}.discriminator:train", "stylegan2-discriminator", 1500, 81, needs=("generator",)),
    "oracle": Role(f"{_HERE}.attributes:train", "world-oracle", 2400, 31, continues=True, needs_further=_EDITS),
    "second_oracle": Role(f"{_HERE}.attributes:train", "world-oracle", 1600, 41, continues=True, needs_further=_EDITS),
    "judge_clip": Role(f"{_HERE}.clip:train", "world-clip", 4500, 12, 1.5e-3, shared=True, continues=True),
    "judge_identity": Role(f"{_HERE}.identity:train", "world-identity", 1800, 22, continues=True),
    "perceptual": Role(f"{_HERE}.attributes:train", "world-perceptual", 1200, 51),
    "features": Role(f"{_HERE}.attributes:train", "world-features", 1200, 61),
}
"""In the order in which others need them."""

Train = Callable[..., tuple[nn.Module, float, dict[str, Any]]]


@dataclass(frozen=True)
class Options:
    """Options that replace a role's settings.

    Attributes:
        steps, seed, learning_rate: None keeps the role's.
        further: start from the role's present weights; the record keeps both stages.
        mapping: shape of the generator's mapping network; None keeps the worlds'.
    """

    steps: int | None = None
    seed: int | None = None
    learning_rate: float | None = None
    further: bool = False
    mapping: str | None = None


@dataclass(frozen=True)
class Places:
    """Locations of written weights, and of existing ones.

    Attributes:
        out: root of the weights to write; what is needed is looked for here first.
        card: root of the weights in use, looked into next; None if there are none.
    """

    out: Path
    card: Path | None = None

    def target(self, dataset: str, name: str) -> Path:
        """Return the file that a role's training writes."""
        return self.out / _file(dataset, name)

    def find(self, dataset: str, name: str) -> Path | None:
        """Return the existing weights of a role, or None."""
        roots = [self.out] if self.card is None else [self.out, self.card]
        return next((root / _file(dataset, name) for root in roots if (root / _file(dataset, name)).is_file()), None)

    def require(self, dataset: str, name: str) -> Path:
        """Return the existing weights of a role, or raise an error.

        Raises:
            UserError: there are none.
        """
        found = self.find(dataset, name)
        if found is None:
            raise UserError(f"role {name!r}: there are no weights; expected the file {self.target(dataset, name)}")
        return found


def _file(dataset: str, name: str) -> str:
    return f"{'shared' if ROLES[name].shared else dataset}/{name}.safetensors"


def all_roles(dataset: str, places: Places) -> list[str]:
    """List every role except shared ones with weights, since new ones would invalidate all methods' weights."""
    return [name for name, role in ROLES.items() if not (role.shared and places.find(dataset, name))]


def check_request(dataset: str, names: Sequence[str], places: Places, options: Options) -> None:
    """Find everything that would stop the training of these roles before any of them starts.

    Raises:
        UserError: an unknown role, one that cannot be trained further, weights that are not there, or a folder that
            cannot be written.
    """
    if options.mapping is not None and options.mapping not in SHAPES:
        raise unknown_choice("mapping", options.mapping, SHAPES)
    for position, name in enumerate(names):
        if name not in ROLES:
            raise unknown_choice("role", name, ROLES)
        if options.mapping is not None and name != "generator":
            raise UserError(f"--mapping: role {name!r} takes the mapping of the generator; valid: generator")
        if options.steps == 0 and not (options.further and name == "generator"):
            raise UserError(
                f"--steps: 0 is not valid for role {name!r}; valid: 1 or more, or 0 for a generator with --further, "
                "which computes its mapping alone"
            )
        if options.further and not ROLES[name].continues:
            valid = ", ".join(role for role in ROLES if ROLES[role].continues)
            raise UserError(f"--further: role {name!r} always starts from nothing; valid: {valid}")
        for need in [*ROLES[name].required(options.further), *([name] if options.further else [])]:
            if need not in names[:position]:
                places.require(dataset, need)
        check_folder(places.target(dataset, name).parent)


def train_role(
    world: World, dataset: str, name: str, places: Places, work: Path, options: Options | None = None
) -> Path:
    """Train one role and write its weights with a record of the training.

    Args:
        world: what renders.
        dataset: data set whose folder the weights go to.
        name: a key of `ROLES`.
        places: roots of the weights.
        work: checkpoints and rendered pools.
        options: changes to the role's settings.

    Raises:
        UserError: as in `check_request`.
    """
    options = options or Options()
    check_request(dataset, [name], places, options)
    given = {k: v for k, v in vars(options).items() if k != "further" and v is not None}
    role = replace(ROLES[name], **{k: v for k, v in given.items() if k != "mapping"})
    path = places.target(dataset, name)
    initial = places.require(dataset, name) if options.further else None
    earlier: list[dict[str, Any]] = json.loads(read_tensors(initial)[1]["record"])["stages"] if initial else []
    shape = f"-{options.mapping}" if options.mapping else ""
    folder = work / path.parent.name / f"{name}{shape}-{len(earlier)}-{role.steps}-{role.seed}"
    plan = Plan(role.steps, folder, role.seed, role.learning_rate, initial=initial)
    module, _, function = role.train.partition(":")
    torch.manual_seed(role.seed)
    train: Train = getattr(import_module(module), function)
    needed: dict[str, Any] = {n: load_own(places.require(dataset, n)) for n in role.required(options.further)}
    if options.mapping is not None:
        needed["mapping"] = options.mapping
    network, seconds, figures = train(world, name, plan, work / "pools", **needed)
    changes = "".join(f" --{k.replace('_', '-')} {v}" for k, v in given.items()) + " --further" * options.further
    stage = {
        "command": f"textedit-bench worlds train {name} --dataset {dataset}{changes}",
        "seed": role.seed,
        "steps": role.steps,
        "wall_time_s": round(seconds),
    }
    record = {"stages": [*earlier, stage], "parameters": parameter_count(network), "figures": figures}
    save_network(network, path, role.kind, "int8", {"record": json.dumps(record)})
    print(f"{path}: {path.stat().st_size / 1000:.0f} KB\n{json.dumps(record, indent=1)}", flush=True)
    return path
