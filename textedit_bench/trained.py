"""Editors with one trained network per data set: location, storage and resumable training of its weights."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, cast

import torch
from torch import nn

from textedit_bench.assets.locate import not_trained, weights_folder
from textedit_bench.models.released import StateDictAdapter, load_trained
from textedit_bench.models.state_dicts import Precision, exact_precision, round_to
from textedit_bench.models.storage import save_network
from textedit_bench.offset_editor import OffsetEditor
from textedit_bench.prompt import Prompt
from textedit_bench.typed_editor import SettingsT, TypedEditor

if TYPE_CHECKING:
    from textedit_bench.training import EditorModule, LatentData, RunOptions

log = logging.getLogger(__name__)

NetworkT = TypeVar("NetworkT", bound=nn.Module)


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that defines one training run.

    Attributes:
        module: the network with its loss.
        data: the batches.
        epochs: when to stop.
        gradient_clip: maximum norm of the gradient; None for no limit.
        learnt_from: further inputs of the training besides settings, seed and networks, such as phrases; JSON values.
        keep: the network of the lowest validation loss, or the last one if losses are not comparable between epochs.
        finish: final processing of the kept network before rounding.
    """

    module: EditorModule
    data: LatentData
    epochs: int
    gradient_clip: float | None = None
    learnt_from: Mapping[str, Any] = field(default_factory=dict)
    keep: Literal["best", "last"] = "best"
    finish: Callable[[Any], object] | None = None


class TrainedEditor(TypedEditor[SettingsT], Generic[NetworkT, SettingsT], ABC):
    """Editor with one network per data set.

    A subclass sets ``info`` (whose ``model`` is the class of its settings), ``network_type`` and, if the authors
    released weights, ``released``; it implements `edit` or `edit_sweep` and `new_network`, and its package has a
    module ``training`` with a function `plan_training`.
    """

    network_type: ClassVar[type[nn.Module] | tuple[type[nn.Module], ...]]
    released: ClassVar[StateDictAdapter | None] = None
    trained_as: ClassVar[str] = ""
    """Name of its runs and weights, if methods share one network; its own name if empty."""
    roles: tuple[str, ...] = ("generator", "encoder", "clip", "identity", "parser")
    """Networks of the domain that affect the training, if it has them."""
    stored_as: Precision = "int8"
    """Format to which trained weights are rounded before use, so that evaluated and saved weights are equal."""

    _network: NetworkT | None = None

    @abstractmethod
    def new_network(self) -> NetworkT:
        """Create an untrained network for the domain, with random numbers of torch's global stream, which is seeded.

        Raises:
            UserError: the method does not support the domain.
        """

    def plan_training(self, run: RunOptions, prompts: Sequence[Prompt] | None) -> TrainingPlan:
        """Plan the training by this editor's settings; `seeded_network` creates the network.

        Calls ``plan_training(editor, run, prompts)`` of the module ``training`` beside the class, or beside the class
        that it extends. The module is not imported before, since edits need no Lightning.

        Raises:
            UserError: settings that contradict each other or do not fit the domain.
            TypeError: there is no such function.
        """
        for cls in (each for each in type(self).__mro__ if issubclass(each, TrainedEditor)):
            package = cls._package()
            if package and find_spec(f"{package}.training"):
                planner = getattr(import_module(f"{package}.training"), "plan_training", None)
                if planner is not None:
                    return cast("TrainingPlan", planner(self, run, prompts))
        raise TypeError(f"{self._package()} has no module training with a function plan_training")

    @classmethod
    def _package(cls) -> str:
        return cls.__module__.rpartition(".")[0]

    def check_fits(self, network: NetworkT, source: str) -> None:
        """Refuse a network for another generator or CLIP; ``source`` is its file.

        Raises:
            UserError: names both sizes.
        """

    @property
    def network(self) -> NetworkT:
        """The trained network, on the domain's device.

        Raises:
            UserError: there is none yet.
        """
        if self._network is None:
            raise not_trained(self)
        return self._network.to(self.domain.device)

    def seeded_network(self, seed: int) -> NetworkT:
        """Create the network reproducibly for a seed; the global random state is restored."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return self.new_network()

    # -- weights -----------------------------------------------------------------------------------------------------
    def weights_path(self) -> Path:
        """Return the path of the shipped or locally trained weights of this data set and tier."""
        return weights_folder(self._package(), self.domain) / f"{self.domain.name}-{self.domain.tier}.safetensors"

    def save(self, path: str | Path) -> None:
        """Write the network in the smallest lossless format."""
        network = self.network.float()
        save_network(network, path, self.trained_as or self.info.name, exact_precision(network.state_dict()))

    def load(self, path: str | Path) -> None:
        """Read a network written by `save`, or a released one.

        Raises:
            UserError: the file holds none, or one that does not fit this domain.
        """
        network = self.load_network(path)
        self.check_fits(network, str(path))
        self._network = network

    @classmethod
    def load_network(cls, path: str | Path) -> NetworkT:
        """Read the network of a released checkpoint or of ours, in eval mode with frozen parameters.

        Raises:
            CheckpointError: the file is missing, damaged, would execute code, or has another network.
        """
        return cast("NetworkT", load_trained(Path(path), cls.network_type, cls.info.title, cls.released))

    # -- training ----------------------------------------------------------------------------------------------------
    def fit(self, prompts: Sequence[Prompt] | None = None, **options: Any) -> None:
        """Train, or resume a training; afterwards this editor uses the network, and `save` writes it.

        Args:
            prompts: prompts for a training that uses any; the card's training prompts if None.
            options: settings of the method for this run, and the fields of `textedit_bench.training.RunOptions`.

        Raises:
            UserError: an unknown option, a value out of range, or an unsupported domain.
        """
        from textedit_bench.training import RunOptions

        run, own = RunOptions.split(options)
        self._network = cast("NetworkT", type(self)(self.domain, **{**self.settings, **own}).trained(run, prompts))

    def trained(self, run: RunOptions, prompts: Sequence[Prompt] | None) -> nn.Module:
        """Train a network by this editor's settings.

        Returns:
            The network of `plan_training`, rounded as it is stored, in eval mode with frozen parameters.
        """
        from textedit_bench.training import train

        began = time.monotonic()
        plan = self.plan_training(run, prompts)
        name = self.trained_as or self.info.name
        result = train(
            plan.module,
            plan.data,
            run,
            name=f"{name}/{self.domain.name}-{self.domain.tier}",
            identity={**self.run_identity(), **plan.learnt_from},
            epochs=plan.epochs,
            gradient_clip=plan.gradient_clip,
            keep=plan.keep,
            preparation_seconds=time.monotonic() - began,
        )
        if not result.finished:
            log.warning("%s: stopped before the end; the same command goes on from %s", name, result.folder)
        network = plan.module.trained_network()
        if plan.finish is not None:
            plan.finish(network)
        round_to(network, self.stored_as)
        return network.eval().requires_grad_(False)

    def run_identity(self) -> dict[str, Any]:
        """Return everything that affects a training besides its seed and its plan, as plain JSON values."""
        from textedit_bench.training import inverted_by

        return {
            "method": self.trained_as or self.info.name,
            "version": self.info.version,
            "settings": {setting: self.settings[setting] for setting in self.values.learnt()},
            "networks": {role: self.domain.digest(role) for role in self.roles if self.domain.has(role)},
            **inverted_by(self.domain),
        }


class TrainedOffsetEditor(TrainedEditor[NetworkT, SettingsT], OffsetEditor[SettingsT]):
    """Editor whose network predicts the offset of codes: edited codes = codes + strength * offset."""
