"""Run one resumable training."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from textedit_bench.devices import HIGHEST, TF32, use_precision
from textedit_bench.files import write_text
from textedit_bench.finite import DivergedError
from textedit_bench.fit import WholeCheckpoints, fit
from textedit_bench.training.cost import CostRecorder
from textedit_bench.training.data import LatentData
from textedit_bench.training.lightning_module import EditorModule
from textedit_bench.training.loggers import make_logger
from textedit_bench.training.options import RunOptions
from textedit_bench.training.pictures import PictureLog
from textedit_bench.training.progress import RunProgress
from textedit_bench.training.trainer import its_rank, leads, make_trainer

log = logging.getLogger(__name__)

_HINTS = (
    ".*does not have many workers.*",
    ".*exists and is not empty.*",
    ".*log_every_n_steps.*",
    ".*LeafSpec.*",
    ".*will be overwritten.*",
    ".*your dataloader is not resumable.*",  # the draws are, by the trainer's step
)
OWN_FILES = ("fsdp", "deepspeed", "model_parallel")
"""Strategies that write a checkpoint from several processes at once."""


@dataclass(frozen=True)
class RunResult:
    """The result of a run.

    Attributes:
        folder: the run's folder: ``last.ckpt``, ``best.ckpt``, ``settings.json``, ``cost.json``, ``pictures/``,
            ``curves/``.
        finished: False if it was stopped and can be resumed.
    """

    folder: Path
    finished: bool


def run_folder(parent: Path, name: str, identity: Mapping[str, Any]) -> Path:
    """Return ``parent/name-<digest of all inputs>``: runs of different settings never mix."""
    text = json.dumps(identity, sort_keys=True, default=str)
    return parent / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def train(
    module: EditorModule,
    data: LatentData,
    options: RunOptions,
    *,
    name: str,
    identity: Mapping[str, Any],
    epochs: int,
    gradient_clip: float | None = None,
    keep: Literal["best", "last"] = "best",
    preparation_seconds: float = 0.0,
    callbacks: tuple[pl.Callback, ...] = (),
) -> RunResult:
    """Train, or resume a training; the network to keep is then in ``module``.

    A checkpoint is written after every epoch and when a signal stops the run; a killed run loses at most one epoch and
    then ends with the same weights as an uninterrupted one. Best means lowest validation loss.

    Args:
        module: the module to train.
        data: its batches.
        options: how to run.
        name: of the run's folder, such as ``"<method>/<dataset>-<tier>"``.
        identity: all settings and digests that decide the outcome; written to ``settings.json``.
        epochs: when to stop.
        gradient_clip: largest norm of the gradient.
        keep: which network that is.
        preparation_seconds: spent on this run before, for the record of its cost.
        callbacks: further Lightning callbacks.

    Raises:
        UserError: Lightning cannot run on these devices or by this strategy; nothing was trained or removed.
        DivergedError: a term of the loss became nan or infinite; the last checkpoint is from before.
        KeyboardInterrupt: a signal stopped the run; `Stopped` says which.
    """
    began = time.monotonic()
    folder = run_folder(options.folder, name, {**identity, "seed": options.seed, "precision": options.precision})
    common: dict[str, Any] = {"enable_version_counter": False, "save_on_train_epoch_end": True}
    best = ModelCheckpoint(folder, filename="best", monitor="validation/loss", **common)
    # Its own callback, since `save_last` of the other one writes only when the best is written; and after it, so that
    # what is resumed knows the best.
    resume = ModelCheckpoint(folder, filename="last", **common)
    watch = [best, resume, CostRecorder(folder, preparation_seconds + time.monotonic() - began), *callbacks]
    if options.preview_images:
        watch.append(PictureLog(folder))
    if options.progress:
        watch.append(RunProgress(name))
    if options.stop_after_minutes:
        watch.append(_Deadline(options.stop_after_minutes))
    use_precision(TF32 if options.precision == TF32 else HIGHEST, module.domain.device)
    last = folder / "last.ckpt"
    with _quiet(), its_rank(options), torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        trainer = make_trainer(
            torch.device(module.domain.device),
            options,
            players=1 if module.automatic_optimization else 2,
            max_epochs=epochs,
            gradient_clip_val=gradient_clip,
            logger=make_logger(options.logger, folder, folder.name, identity),
            callbacks=watch,
            plugins=[] if options.strategy.startswith(OWN_FILES) else [WholeCheckpoints()],
            use_distributed_sampler=False,  # the draws depend on the rank already
            num_sanity_val_steps=0,
            log_every_n_steps=10,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        if leads(options):
            _prepare_folder(folder, options.resume, keep, identity)
        # Processes that start at the same time must not see files that the first one is about to remove.
        goes_on = options.resume and not _why_restart(folder, keep) and last.is_file()
        try:
            fit(
                trainer,
                module,
                datamodule=data,
                ckpt_path=last if goes_on else None,
                stopped_at=lambda _: last,
            )
        except KeyboardInterrupt:
            log.warning("%s: stopped at step %d; the same command goes on from %s", name, trainer.global_step, folder)
            raise
        except DivergedError as error:
            kept = f"{last} holds the last good state" if last.is_file() else "no checkpoint was written before"
            raise DivergedError(f"{name}: {error}; {kept}. A lower learning rate may help") from error
    state = torch.load(folder / f"{keep}.ckpt", map_location="cpu", weights_only=True)
    module.load_state_dict(state["state_dict"])
    return RunResult(folder, trainer.current_epoch >= epochs)


class _Deadline(pl.Callback):
    """Stops at the first epoch's end after ``minutes`` of this part of a run (Lightning's timer counts all parts)."""

    def __init__(self, minutes: float) -> None:
        self.ends = time.monotonic() + 60 * minutes

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Ask the trainer to stop when the time is up."""
        if time.monotonic() >= self.ends:
            trainer.should_stop = True


def _prepare_folder(folder: Path, resume: bool, keep: str, identity: Mapping[str, Any]) -> None:
    """Create or empty the run's folder, set aside what the run cannot go on from and write its description."""
    if not resume and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if why := _why_restart(folder, keep):
        for name in dict.fromkeys(("last.ckpt", f"{keep}.ckpt")):  # the last one first: nothing goes on from the other
            _set_aside(folder / name)
        log.warning("%s: %s; its checkpoints are set aside, and the run restarts", folder, why)
    write_text(folder / "settings.json", json.dumps(identity, indent=2, sort_keys=True, default=str) + "\n")


def _why_restart(folder: Path, keep: str) -> str:
    """Say what is wrong with the last checkpoint and the one to keep; empty if nothing is."""
    last, kept = folder / "last.ckpt", folder / f"{keep}.ckpt"
    for checkpoint in dict.fromkeys((kept, last)):  # against the order in which another process sets them aside
        if checkpoint.is_file() and (damage := _damage(checkpoint)):
            return f"{checkpoint.name} is damaged ({damage})"
    if last.is_file() and not kept.is_file():
        states = torch.load(last, map_location="cpu", weights_only=True)["callbacks"].values()
        if any(Path(state.get("best_model_path", "")).name == kept.name for state in states):
            return f"{kept.name} is missing"
    return ""


def _damage(checkpoint: Path) -> str:
    """Describe the damage of a checkpoint, a zip whose entries have checksums; empty if intact."""
    try:
        with zipfile.ZipFile(checkpoint) as stored:
            return stored.testzip() or ""
    except (OSError, zipfile.BadZipFile, EOFError, ValueError) as error:
        return str(error) or type(error).__name__


def _set_aside(checkpoint: Path) -> None:
    """Rename a checkpoint, if there is one."""
    number = 1
    while (target := checkpoint.with_name(f"{checkpoint.name}.corrupt-{number}")).exists():
        number += 1
    if checkpoint.exists():
        checkpoint.rename(target)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Lightning's hints about worker counts and similar, within the run only."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning.pytorch", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for message in _HINTS:
            warnings.filterwarnings("ignore", message=message)
        try:
            for logger in loggers:
                logger.setLevel(logging.WARNING)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
