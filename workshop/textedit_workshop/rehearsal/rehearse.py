"""Run the rehearsal: data set by data set, stage by stage."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from textedit_bench.assets.locate import captions_path, source_path
from textedit_bench.assets.manifest import get_asset
from textedit_bench.data.card import DatasetCard
from textedit_bench.errors import UserError
from textedit_bench.files import HOME
from textedit_bench.registry import list_datasets, load_dataset, method_info
from textedit_workshop.rehearsal.cards import PICTURES, write_card
from textedit_workshop.rehearsal.files import remove_files, write_files
from textedit_workshop.rehearsal.methods import PARTS
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.photos import write_captions, write_photos
from textedit_workshop.rehearsal.plan import DatasetRehearsal
from textedit_workshop.rehearsal.sizes import Sizes
from textedit_workshop.rehearsal.stages import Measured, run_stage

_TRUNK = "lpips-alex"


@dataclass(frozen=True)
class Rehearsal:
    """What is rehearsed.

    Attributes:
        folder: where everything goes; its folders ``home`` and ``runs`` are emptied on the way.
        datasets: names or cards; every installed one with a full tier where empty.
        methods: names; every one that has a part where empty.
    """

    folder: Path
    datasets: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()

    def run(self, told: Callable[[Measured], None]) -> list[Measured]:
        """Every stage; a failed one does not stop the others.

        Raises:
            UserError: an unknown name, or a data set without a full tier.
        """
        chosen = self.parts()
        cards = self.cards(chosen)
        measured: list[Measured] = []
        trains = {name: how for name in chosen if (how := method_info(name).trains) != "none"}
        for number, card in enumerate(cards):
            here = {name: part for name, part in chosen.items() if part.runs_on(card.name)}
            rehearsal = DatasetRehearsal(card, sizes_of(card), self.folder, here, trains)
            for stage in rehearsal.stages():
                measured.append(run_stage(stage, self.folder, environment(self.folder)))
                told(measured[-1])
                if " resume " in stage.name:
                    shutil.rmtree(self.folder / "runs", ignore_errors=True)
            shutil.rmtree(self.home / "trained", ignore_errors=True)
            remove_files(card, cards[number + 1 :], chosen, self.home)
        return measured

    @property
    def home(self) -> Path:
        """What stands for the user's data folder."""
        return self.folder / "home"

    def parts(self) -> dict[str, Part]:
        """The chosen methods' parts."""
        for name in self.methods:
            method_info(name)
        wanted = self.methods or tuple(sorted(PARTS))
        return {name: PARTS.get(name, Part()) for name in wanted}

    def cards(self, chosen: Mapping[str, Part]) -> list[DatasetCard]:
        """The cards of the rehearsal, written."""
        asked = [load_dataset(name) for name in self.datasets] or [c for c in list_datasets() if "full" in c.tiers]
        asked = [card for card in asked if any(part.runs_on(card.name) for part in chosen.values())]
        if not asked:
            raise UserError("datasets: none with a full tier is installed on which the methods run")
        words = {
            name: [part.phrases[name] for part in chosen.values() if name in part.phrases] for name in _names(asked)
        }
        return [write_card(card, self.folder / "cards", words[card.name]) for card in asked]


def sizes_of(card: DatasetCard) -> Sizes:
    """As published: config-f at the data set's resolution."""
    return Sizes(resolution=card.tier("full").resolution)


def environment(folder: Path) -> dict[str, str]:
    """What keeps a stage away from the user's own files, and from the network."""
    # LPIPS takes its trunk from torch's own cache.
    return {HOME: str(folder / "home"), "TORCH_HOME": str(folder / "torch"), "HF_HUB_OFFLINE": "1", "LOGGER": "csv"}


def write_all(card: DatasetCard, sizes: Sizes, folder: Path, chosen: Mapping[str, Part]) -> None:
    """Weights and photos of one data set; the process runs in the rehearsal's `environment`."""
    for path in write_files(card, sizes, chosen):
        print(path, flush=True)
    source = card.tier("full").source
    where = source_path(card, source) if source else None
    if source is not None and where is not None and not where.exists():
        write_photos(where, source, PICTURES, sizes.resolution)
    texts = captions_path(card, source) if source else None
    if source is not None and texts is not None:
        write_captions(texts, source, PICTURES)
    for method, part in chosen.items():
        rehearsal = DatasetRehearsal(card, sizes, folder, chosen, {})
        for setting, write in {**part.edit_files, **part.training_files}.items():
            path = rehearsal.given_file(method, setting)
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, sizes, method)
    trunk = get_asset(_TRUNK).path
    cached = folder / "torch" / "hub" / "checkpoints" / trunk.name
    if trunk.is_file() and not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.hardlink_to(trunk)


def _names(cards: Sequence[DatasetCard]) -> list[str]:
    return [card.name for card in cards]
