"""Run the relevance sweep in resumable parts."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import Tensor

from textedit_bench.models.storage import write_tensors
from textedit_bench.stylespace.statistics import Sampling, Statistics, editable, measure, sample_styles
from textedit_bench.stylespace.sweep import Progress, Variant, sweep

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel
    from textedit_bench.models.stylegan2 import Generator

log = logging.getLogger(__name__)
_SAVE_EVERY_S = 60.0


class OutOfTime(Exception):
    """The sweep was stopped at its deadline; its progress is stored."""


@dataclass(frozen=True)
class Swept:
    """The result of a sweep.

    Attributes:
        rows: unit vectors [N, d], float32; zeros for channels without any effect.
        statistics: of the N editable channels.
        seconds: that it took, those of earlier pieces included.
    """

    rows: Tensor
    statistics: Statistics
    seconds: float


def resumable_sweep(
    generator: Generator,
    clip: ClipModel,
    sampling: Sampling,
    *,
    images: int,
    width: float = 5.0,
    variant: Variant = "correct",
    state: Path | None = None,
    resume: bool = True,
    minutes: float = 0.0,
) -> Swept:
    """Compute statistics of the channels, then run the sweep over the first images of the sampling.

    Args:
        generator, clip: frozen.
        sampling: of the statistics and of the base images.
        images: base images.
        width, variant: as in `sweep`.
        state: file that keeps what is done, up to the end; None keeps nothing. It belongs to one set of the arguments
            above, which its name should tell.
        resume: go on from there.
        minutes: stop after that long; 0 means never.

    Raises:
        OutOfTime: the deadline came first; the same call goes on.
    """
    began = time.monotonic()
    progress, spent = _read(state) if resume and state is not None and state.is_file() else (None, 0.0)
    statistics = measure(generator, editable(generator), sampling)
    last = began
    layers = len(generator.style_layout)

    def seconds() -> float:
        return spent + time.monotonic() - began

    def checkpoint(now: Progress) -> None:
        nonlocal last
        late = bool(minutes) and time.monotonic() - began > 60 * minutes
        if state is not None and (late or time.monotonic() - last > _SAVE_EVERY_S):
            last = time.monotonic()
            _write(state, now, seconds())
            log.info(
                "relevance of style channels: layer %d of %d, image %d of %d, %.0f s",
                now.layer + 1, layers, now.image, images, seconds(),
            )  # fmt: skip
        if late:
            raise OutOfTime(str(state))

    base = sample_styles(generator, sampling, 0, images)
    progress = progress or Progress(torch.zeros(len(statistics.mean), clip.embed_dim, dtype=torch.float64))
    rows = sweep(
        generator, clip, base, statistics, width=width, variant=variant, progress=progress, checkpoint=checkpoint
    )
    if state is not None:
        _write(state, progress, seconds())
    return Swept(rows, statistics, seconds())


def _write(path: Path, progress: Progress, seconds: float) -> None:
    header = {"layer": str(progress.layer), "image": str(progress.image), "row": str(progress.row)}
    header["seconds"] = f"{seconds:.3f}"
    write_tensors({"sums": progress.sums.cpu(), **{k: torch.tensor(float(v)) for k, v in header.items()}}, path, header)


def _read(path: Path) -> tuple[Progress, float]:
    tensors = load_file(path)
    progress = Progress(tensors["sums"], int(tensors["layer"]), int(tensors["image"]), int(tensors["row"]))
    return progress, float(tensors["seconds"])
