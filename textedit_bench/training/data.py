"""Batches of latent codes for training, each a pure function of seed, epoch and position.

So a run that was stopped and resumed sees exactly the batches of an undisturbed one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from textedit_bench.devices import sent
from textedit_bench.errors import UserError
from textedit_bench.seeds import seed_of

Batch = dict[str, Tensor]
Beside = Callable[[Tensor, Tensor], Batch]
"""Positions and conditions of a batch on the CPU -> what else it holds, by name."""


def stream(*axes: object) -> torch.Generator:
    """Create a random generator seeded by the hash of named axes, such as seed, epoch and rank."""
    return torch.Generator().manual_seed(seed_of(*axes))


def split_steps(steps: int, per_validation: int) -> tuple[int, int]:
    """Return steps per epoch and epochs of a training that validates once an epoch; the last one is a whole one."""
    per_epoch = min(per_validation, steps)
    return per_epoch, -(-steps // per_epoch)


class LatentData(pl.LightningDataModule):
    """Codes, each with one condition (usually a prompt) drawn from a weighted list.

    A batch is ``{"codes": [B, rows, w_dim], "index": [B], "choice": [B]}``: the codes, their positions in ``codes``,
    and the conditions drawn for them. The last ``validation`` codes are held out, and validation pairs every
    one of them with conditions in turn, always the same. The result of ``beside`` is added to the batch before it is
    copied to the device, so that no step has to wait for the device to read it.

    Args:
        codes: [M, rows, w_dim].
        batch_size: of all processes together; each takes an equal share of every batch, so that a run on several
            devices sees the batches of a run on one.
        steps_per_epoch: 0 for one pass over the codes.
        choice_weights: how often each condition is listed; one condition if None.
        validation: codes held out.
        seed: of order and draws.
        beside: reads what else belongs to positions and conditions.

    Raises:
        UserError: too few codes for the batch and the validation.
    """

    def __init__(
        self,
        codes: Tensor,
        *,
        batch_size: int,
        steps_per_epoch: int = 0,
        choice_weights: Tensor | None = None,
        validation: int = 64,
        seed: int = 0,
        beside: Beside | None = None,
    ) -> None:
        super().__init__()
        self.codes, self.batch_size, self.seed = codes, batch_size, seed
        self.pairs = _Pairs(codes, beside)
        self.weights = torch.ones(1) if choice_weights is None else choice_weights.float()
        self.validation = validation
        self.train_count = len(codes) - validation
        if validation < 1:  # there would be no best network
            raise UserError(f"training codes: {len(codes)} leave none for validation; valid: 4 or more")
        if batch_size < 1 or self.train_count < batch_size:
            raise UserError(
                f"batch_size {batch_size}: {len(codes)} codes less {validation} for validation leave {self.train_count}"
            )
        self.steps_per_epoch = steps_per_epoch or self.train_count // batch_size

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return random codes with random conditions, in another order every epoch."""
        rank, processes = 0, 1
        if self.trainer is not None:
            rank, processes = self.trainer.global_rank, self.trainer.world_size
        if self.batch_size % processes:
            raise UserError(f"batch_size {self.batch_size}: it cannot be divided equally among {processes} processes")
        draws = _Draws(self, rank, processes)
        return DataLoader(self.pairs, sampler=draws, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the held-out codes, each with one fixed condition."""
        held_out = torch.arange(self.train_count, len(self.codes))
        choices = torch.arange(len(held_out)) % len(self.weights)
        batches = list(zip(held_out.split(self.batch_size), choices.split(self.batch_size), strict=True))
        return DataLoader(self.pairs, sampler=batches, batch_size=None)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Copy the batch to the device without synchronisation."""
        return {name: sent(value, device) for name, value in batch.items()}


class _Pairs(Dataset[Batch]):
    """Data set indexed by a pair of index tensors, which yields a whole batch."""

    def __init__(self, codes: Tensor, beside: Beside | None) -> None:
        self.codes, self.beside = codes, beside

    def __getitem__(self, picked: tuple[Tensor, Tensor]) -> Batch:
        index, choice = picked
        more = {} if self.beside is None else self.beside(index, choice)
        return {"codes": self.codes[index], "index": index, "choice": choice, **more}


class _Draws(Sampler[tuple[Tensor, Tensor]]):
    """Sampler of code positions and conditions for one epoch of one process; Lightning sets the epoch.

    Every process draws the whole batch and keeps its part, so draws do not depend on the number of processes.
    A run that resumes within an epoch continues its draws.
    """

    def __init__(self, data: LatentData, rank: int, processes: int) -> None:
        self.data, self.epoch = data, 0
        share = data.batch_size // processes
        self.share = slice(rank * share, (rank + 1) * share)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.data.steps_per_epoch

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        data = self.data
        random = stream("training draws", data.seed, self.epoch, 0)
        order = torch.empty(0, dtype=torch.long)
        done = getattr(data.trainer, "global_step", 0) - self.epoch * len(self)  # there is none outside a run
        for step in range(len(self)):
            if len(order) < data.batch_size:  # passes follow each other without a short batch
                order = torch.cat([order, torch.randperm(data.train_count, generator=random)])
            index, order = order[: data.batch_size], order[data.batch_size :]
            choice = torch.multinomial(data.weights, data.batch_size, replacement=True, generator=random)
            if step >= done:
                yield index[self.share], choice[self.share]
