"""Editors with one trained network per prompt: finding a phrase's network, or training it."""

from __future__ import annotations

import hashlib
import json
import logging
from abc import ABC
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from textedit_bench.assets.locate import fetched
from textedit_bench.bench.prompts import slug
from textedit_bench.devices import STANDARD_THREADS, fixed_threads
from textedit_bench.errors import UserError
from textedit_bench.files import locked, trained_folder
from textedit_bench.models.state_dicts import exact_precision
from textedit_bench.models.storage import is_safetensors, read_tensors, save_network
from textedit_bench.prompt import Prompt
from textedit_bench.trained import NetworkT, TrainedEditor
from textedit_bench.typed_editor import SettingsT

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.training import RunOptions

log = logging.getLogger(__name__)

_SUFFIXES = (".safetensors", ".pt")
"""Extensions of our files, and of released files that a user put there."""


class PerPromptEditor(TrainedEditor[NetworkT, SettingsT], ABC):
    """Editor with one network per phrase; edits use `network_for`.

    A phrase's network is searched among those trained or loaded in this session, then among the method's weights, then
    in the user's data folder, then among the authors' downloaded ones; if there is none, it is trained and stored in
    the user's data folder. `plan_training` gets the prompts of one run, at most ``prompts_at_once``, and its module
    trains a list of networks (`torch.nn.ModuleList`), one per prompt.
    """

    prompts_at_once: int = 1

    def __init__(self, domain: Domain, **settings: Any) -> None:
        """Like `TrainedEditor`."""
        super().__init__(domain, **settings)
        self._networks: dict[str, NetworkT] = {}
        self._given = ""  # the phrase of the single given file
        self._unserved: set[str] = set()  # phrases for which this was already logged

    @classmethod
    def released_name(cls, phrase: str) -> str:
        """Return the asset id of the authors' network for a phrase, which may not exist."""
        return ""

    def refusal(self, prompt: Prompt) -> str | None:
        """Return that there is no network for the prompt in this session, and why none can be trained."""
        return None if self._held(prompt) is not None else self.untrainable(prompt)

    def untrainable(self, prompt: Prompt) -> str | None:
        """Return why no network can be trained for a prompt; None if one can."""
        return None

    def prepare(self, prompt: Prompt) -> None:
        """Load or train the phrase's network."""
        self.network_for(prompt)

    def network_for(self, prompt: Prompt) -> NetworkT:
        """Return the trained network of a prompt's phrase; if there is none, train it now.

        Raises:
            UserError: the network found does not fit this domain.
        """
        phrase, name = normalised(prompt.words), self.info.name
        if self._given and phrase not in {self._given, *self._unserved}:
            self._unserved.add(phrase)
            log.warning("%s: the given weights are for %r, not for %r", name, self._given, phrase)
        network = self._held(prompt)
        if network is None:
            network = self._networks[phrase] = self._found(phrase) or self._trained_on_demand(prompt)
        return network

    def is_trained_for(self, prompt: Prompt) -> bool:
        """Whether the prompt's phrase has a network already, so that an edit does not start a training."""
        return (self._held(prompt) or self._found(normalised(prompt.words))) is not None

    def _held(self, prompt: Prompt) -> NetworkT | None:
        """Return the network that was trained or loaded in this session. None if there is none."""
        return self._networks.get(normalised(prompt.words), self._network)

    def _found(self, phrase: str) -> NetworkT | None:
        folders = (self.weights_path(), self._cache())
        places = [folder / f"{stem(phrase)}{suffix}" for folder in folders for suffix in _SUFFIXES]
        released = self._fetched().get(self.released_name(phrase))
        for path in (*places, *([released] if released else [])):
            if path.is_file():
                network = self.load_network(path)
                self.check_fits(network, str(path))
                return network
        return None

    def _trained_on_demand(self, prompt: Prompt) -> NetworkT:
        from textedit_bench.training import RunOptions

        folder, phrase = self._cache(), normalised(prompt.words)
        path = folder / f"{stem(phrase)}.safetensors"
        run = RunOptions(folder=folder / "runs", preview_images=0, logger="csv")
        with locked(folder / "training" / stem(phrase)):  # another worker may be training it
            network = self._found(phrase)
            if network is None:
                log.warning("%s: no network for %r yet; it is trained now and kept as %s", self.info.name, phrase, path)
                with torch.enable_grad(), fixed_threads(STANDARD_THREADS):  # whatever a bench's --threads
                    network = self._trained_for(run, [prompt])[phrase]
                self._store(network, path, phrase)
        return network

    # -- weights -----------------------------------------------------------------------------------------------------
    def weights_path(self) -> Path:
        """Return the folder of shipped or locally trained networks of this data set and tier, one file per phrase."""
        return super().weights_path().with_suffix("")

    def released_files(self) -> tuple[Path, ...]:
        """Return the downloaded networks of the authors, each for its phrase."""
        return tuple(self._fetched().values())

    def released_weights(self) -> None:
        """Return None: a released network is only for its own phrase and loaded on demand."""

    def _fetched(self) -> dict[str, Path]:
        names = self.info.released_for(self.domain.tier, self.domain.name)
        return {name: path for name in names if (path := fetched(name))}

    def _cache(self) -> Path:
        """Return a folder in the user's data folder, specific to everything that affects training."""
        identity = json.dumps(self.run_identity(), sort_keys=True, default=str)
        digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
        return trained_folder() / self.info.name / f"{self.domain.name}-{self.domain.tier}-{digest}"

    def save(self, path: str | Path) -> None:
        """Write the networks that were trained or used: one file per phrase into a folder, or a single one to a file.

        Args:
            path: a folder, or a name that ends in ``.safetensors``.

        Raises:
            UserError: there is none, or several would be written to one file.
        """
        path = Path(path)
        if not self._networks:
            raise UserError(f"{self.info.name} has no trained network to save")
        alone = path.suffix == ".safetensors"
        if alone and len(self._networks) > 1:
            phrases = ", ".join(self._networks)
            raise UserError(f"{path}: a file holds one network, there are {len(self._networks)}: {phrases}")
        for phrase, network in self._networks.items():
            self._store(network, path if alone else path / f"{stem(phrase)}.safetensors", phrase)

    def _store(self, network: NetworkT, path: Path, phrase: str) -> None:
        precision = exact_precision(network.state_dict())
        save_network(network.cpu(), path, self.info.name, precision, {"phrase": phrase})

    def load(self, path: str | Path) -> None:
        """Read a network written by `save`, for its phrase, or a released one, which is used for every prompt.

        Args:
            path: a file, or a folder of files.

        Raises:
            UserError: a file has no network, or one that does not fit this domain.
        """
        path = Path(path)
        for file in sorted(path.glob("*.safetensors")) if path.is_dir() else [path]:
            network = self.load_network(file)
            self.check_fits(network, str(file))
            phrase = read_tensors(file)[1].get("phrase") if is_safetensors(file) else None
            if phrase is None:
                self._network = network
            else:
                self._networks[normalised(phrase)] = network
                self._given = normalised(phrase) if path.is_file() else ""

    # -- training ----------------------------------------------------------------------------------------------------
    def fit(self, prompts: Sequence[Prompt] | None = None, **options: Any) -> None:
        """Train one network per prompt, for use by this editor and `save`.

        Args:
            prompts: the data set's trained evaluation prompts if None, without those that are `untrainable`.
            options: settings of the method for this run, and the fields of `textedit_bench.training.RunOptions`.

        Raises:
            UserError: an unknown option, an invalid value, no prompts, or one that is untrainable.
        """
        from textedit_bench.training import RunOptions

        run, own = RunOptions.split(options)
        chosen = type(self)(self.domain, **{**self.settings, **own})
        wanted = list(self.domain.prompts("evaluation", trained=True).values()) if prompts is None else prompts
        if not wanted:
            raise UserError(
                f"prompts: none given, and the card of {self.domain.name}, tier {self.domain.tier}, has no trained "
                "evaluation prompt"
            )
        refused = chosen._refused(wanted) if prompts is None else {}
        if allowed := [prompt for prompt in wanted if prompt.words not in refused]:
            for words, reason in refused.items():
                log.warning("%s: no network is trained for %r: %s", self.info.name, words, reason)
            wanted = allowed
        self._networks.update(chosen._trained_for(run, wanted))

    def _refused(self, prompts: Sequence[Prompt]) -> dict[str, str]:
        """Return words -> reason of the prompts that are untrainable."""
        return {p.words: reason for p in prompts if (reason := self.untrainable(p.without_truth))}

    def _trained_for(self, run: RunOptions, prompts: Sequence[Prompt]) -> dict[str, NetworkT]:
        """Train networks by phrase, ``prompts_at_once`` per run; equal phrases are trained once.

        Raises:
            UserError: a prompt is untrainable.
        """
        if refused := self._refused(prompts):
            raise UserError("; ".join(f"prompt {words!r}: {reason}" for words, reason in refused.items()))
        wanted = {normalised(prompt.words): prompt for prompt in prompts}
        phrases = list(wanted)
        trained: dict[str, NetworkT] = {}
        for start in range(0, len(phrases), self.prompts_at_once):
            group = phrases[start : start + self.prompts_at_once]
            networks = cast("nn.ModuleList", self.trained(run, [wanted[phrase] for phrase in group]))
            trained.update(zip(group, cast("list[NetworkT]", list(networks)), strict=True))
        return trained


def normalised(phrase: str) -> str:
    """Normalise a phrase like CLIP's tokeniser: lower case, single spaces."""
    return " ".join(phrase.lower().split())


def stem(phrase: str) -> str:
    """Return the file name of a phrase without extension: words joined by ``-``, and a digest if that is ambiguous."""
    text = normalised(phrase)
    short = slug(text)[:80]
    if short.replace("-", " ") == text:
        return short
    return f"{short or 'phrase'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
