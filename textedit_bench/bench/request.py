"""Define the request for a bench as validated data."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.devices import HIGHEST, STANDARD_THREADS, check_precision
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.ranges import MACHINE, check_whole

LOGGERS = ("none", "wandb")
POLICIES = ("all", "shown", "none")
"""Of keeping pictures."""
REMOTE = ("ray", "slurm")
"""Engines whose workers run on other machines, with devices of their own."""
ENGINES = ("auto", "local", "processes", *REMOTE)
QUICK, CENSUS = "quick", "census"
PROTOCOLS = (QUICK, CENSUS)
CENSUS_STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0)
STANDARD_STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0)
STANDARD_IMAGES = 24
"""Number of images if neither request nor card gives one."""
STANDARD_SEED = 0
_CHOICES = {
    "logger": LOGGERS,
    "engine": ENGINES,
    "protocol": PROTOCOLS,
    "split": ("evaluation", "development"),
    "keep_pictures": POLICIES,
}


@dataclass(frozen=True, kw_only=True)
class BenchRequest:
    """Request for one bench: methods, data sets, and options.

    Raises:
        UserError: a value outside its range; the message names the field.
    """

    methods: tuple[str, ...] = ()
    """Method names; empty means every installed method that is not a control."""
    datasets: tuple[str, ...] = ()
    """Data set names, aliases or card files; empty means every installed one."""
    tier: str = "auto"
    """``mini``, ``full`` or ``auto``."""
    source: str = ""
    """Photos in place of the data sets' own: ``samples`` of the generator, or the path of a folder, zip, LMDB or file
    of codes; empty for their own."""
    protocol: str = QUICK
    """``quick``: the card's evaluation prompts on the same photos, for a first look. ``census``: every value that the
    tier's world can show, in two wordings, each on photos where it has to be edited (`textedit_bench.bench.census`)."""
    prompts: tuple[str, ...] = ()
    """Prompt ids of the card or bare texts; empty means the card's evaluation prompts."""
    own_prompts: tuple[PlannedPrompt, ...] = ()
    """Prompts with ground truth that are not on the card; they follow those of ``prompts``."""
    images: int | None = None
    """Images of the split, of a census those of each prompt; None means the tier's standard number."""
    fewer: bool = False
    """If ``source`` has fewer images, use all of them."""
    split: str = "evaluation"
    """``evaluation``; ``development`` for choosing settings, which no table shows."""
    seed: int = STANDARD_SEED
    """Seed of everything random in a cell."""
    strengths: tuple[float, ...] = STANDARD_STRENGTHS
    """Edit strengths, ascending, from 0 to 100; the method's default strength has to be among them. A census has fewer
    where nothing else is asked, `CENSUS_STRENGTHS`."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings for the named methods, on top of their cards' defaults; not for the controls."""
    controls: bool = True
    """Run the controls in addition to the methods; a request for controls only gets those it names."""
    tuned: bool = False
    """Add a row per method with the settings that ``tune`` chose."""
    results: Path = Path("results")
    """Folder of the results."""
    device: str = "cpu"
    """``cpu``, ``cuda`` or ``cuda:<index>``."""
    devices: tuple[int, ...] = ()
    """CUDA cards of this machine, in place of ``device``: several make the engine ``processes``, with a worker each."""
    precision: str = HIGHEST
    """``highest`` (float32), ``tf32`` (CUDA alone), or ``bf16`` for synthesis."""
    threads: int = STANDARD_THREADS
    """CPU threads of one cell; recorded with its results."""
    engine: str = "local"
    """Where cells are computed: ``local`` in this process, ``processes`` of this machine (a script that asks for them
    needs ``if __name__ == "__main__"``), ``auto`` for one of the two, a ``ray`` cluster, or jobs of ``slurm``. The
    records are the same."""
    workers: int = 0
    """Most workers of an engine that has any; 0 means as many as there are CPUs or GPUs for. A card has one worker."""
    gpus: dict[str, float] = field(default_factory=dict)
    """Method -> share of a GPU that one of its cells needs on a cluster; ``""`` stands for all others (1)."""
    shard: int = 0
    """Images that are computed together and stored at once, rounded up to whole network passes; 0 means as many as
    256 MB of pictures. The records do not depend on it."""
    keep_pictures: str = ""
    """Which pictures of edits are stored: ``all``, ``shown`` (the first 12 images) or ``none``; codes always are. Empty
    means all in the mini tier, shown in the full tier."""
    slurm: dict[str, Any] = field(default_factory=dict)
    """Parameters of submitit for a worker's job on ``slurm``, such as ``slurm_partition`` and ``timeout_min``."""
    infer: bool = True
    """False: score stored edits only, edit nothing."""
    logger: str = "none"
    """``none``, or ``wandb``: also log the tables, curves and sheets to Weights & Biases, offline by default."""
    command: str = ""
    """The command line that was typed, for the record."""

    def __post_init__(self) -> None:
        for name in ("methods", "datasets", "prompts"):
            items = getattr(self, name)
            if isinstance(items, str) or not all(isinstance(item, str) for item in items):
                raise UserError(f"{name}: {items!r} is not a list of texts")
        if self.images is not None:
            check_whole("images", self.images, low=1)
        check_whole("seed", self.seed, low=0, below=MACHINE)
        check_whole("threads", self.threads, low=1)
        for name, valid in _CHOICES.items():
            value = getattr(self, name)
            if value not in (*valid, getattr(BenchRequest, name)):  # the default of keep_pictures is empty
                raise unknown_choice(name, str(value), valid)
        if self.devices:
            self._take_devices()
        check_precision(self.precision, self.device)
        check_whole("shard", self.shard, low=0)
        check_whole("workers", self.workers, low=0)
        if self.workers and self.engine == "local":
            raise UserError(
                f"workers: {self.workers} asked of the local engine; valid with: processes, {', '.join(REMOTE)}"
            )
        if self.engine == "slurm" and not self.workers:
            raise UserError("workers: required for slurm, where each is a job; for example --workers 8")
        if self.slurm and self.engine != "slurm":
            raise UserError(f"slurm: {', '.join(self.slurm)} given for engine {self.engine}; valid with: slurm")
        for name, share in self.gpus.items():
            if not math.isfinite(share) or not 0 < share <= 64 or (share > 1 and share != int(share)):
                whose = name or "every method"
                raise UserError(f"gpus: {share!r} of {whose}; valid: above 0 to 1, or whole numbers to 64")
        if self.protocol == CENSUS:
            if self.source:
                raise UserError(
                    f"protocol: a census needs the photos of a world, not source {self.source}; valid: quick"
                )
            if self.strengths == STANDARD_STRENGTHS:
                object.__setattr__(self, "strengths", CENSUS_STRENGTHS)
        if not self.strengths:
            raise UserError("strengths: none given; valid: numbers from 0 to 100")
        for strength in self.strengths:
            if not isinstance(strength, (int, float)) or not math.isfinite(strength) or not 0 <= strength <= 100:
                raise UserError(f"strengths: {strength!r} is not a strength; valid: numbers from 0 to 100")
        if list(self.strengths) != sorted(set(self.strengths)):
            raise UserError(f"strengths: {self.strengths} must ascend without repeats")
        for prompt in self.prompts:
            if not prompt.strip():
                raise UserError("prompts: an empty prompt was given; valid: prompt ids of the data set or words")
        if self.results.exists() and not self.results.is_dir():
            raise UserError(f"results: {self.results} is a file; valid: a folder")

    def _take_devices(self) -> None:
        """Set the device to the named GPUs, and the engine to one that supports them."""
        cards = ", ".join(map(str, self.devices))
        for index in self.devices:
            check_whole("devices", index, low=0, below=MACHINE)
        if len(set(self.devices)) < len(self.devices):
            raise UserError(f"devices: {cards} has a device twice; valid: different ones, such as 0,1")
        if self.engine in REMOTE:
            raise UserError(f"devices: on {self.engine} the cluster assigns GPUs; valid with: auto, local, processes")
        device = f"cuda:{self.devices[0]}" if len(self.devices) == 1 else "cuda"
        if self.device not in ("cpu", "cuda", device):
            raise UserError(f"devices: {cards} and device {self.device!r} contradict each other; name one of them")
        object.__setattr__(self, "device", device)
        if len(self.devices) > 1 and self.engine in ("auto", "local"):
            object.__setattr__(self, "engine", "processes")

    def to_json(self) -> dict[str, Any]:
        """Return every field as plain JSON values, for the record."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return plain

    @property
    def standard(self) -> bool:
        """Whether source, prompts, strengths and seed are those of the standard protocol."""
        return (
            not self.prompts
            and not self.source
            and not self.own_prompts
            and self.seed == STANDARD_SEED
            and tuple(self.strengths) == (CENSUS_STRENGTHS if self.protocol == CENSUS else STANDARD_STRENGTHS)
        )
