"""Training of the delta mapper on pairs of images; no text, no rendering."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.training import EditorModule
from textedit_bench.training.data import Batch
from textedit_methods.deltaedit.deltas import unit_difference
from textedit_methods.deltaedit.network import DeltaMapper

if TYPE_CHECKING:
    from textedit_bench.domain import Domain


def mse_term(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared error over batch and channels, of raw styles."""
    return F.mse_loss(predicted, wanted)


def cosine_term(predicted: Tensor, wanted: Tensor) -> Tensor:
    """One minus the mean cosine between predicted and wanted differences [B, num_styles]."""
    return 1 - F.cosine_similarity(predicted, wanted, dim=-1).mean()


class DeltaTraining(EditorModule):
    """Predict the style difference of two images from the first one's style and their difference in CLIP's space.

    A batch's ``codes`` are the styles of the first images, ``start`` their CLIP features, ``end`` and ``end_styles``
    those of the second ones (see `Features.pairs`).

    Args:
        network: the mapper.
        domain: held for its device.
        weights: of the terms ``mse`` and ``cosine``.
        total_steps, final_rate: the rate falls along a cosine to ``final_rate`` of itself over so many steps.
        draw: network -> titles and pictures of its edits; they take a renderer and texts, which training does not.
        options: of `EditorModule`.
    """

    def __init__(
        self,
        network: DeltaMapper,
        domain: Domain,
        *,
        weights: dict[str, float],
        total_steps: int = 1,
        final_rate: float = 1.0,
        draw: Callable[[nn.Module], tuple[list[str], Tensor]] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(network, domain, **options)
        self.weights = weights
        self.total_steps, self.final_rate, self.draw = total_steps, final_rate, draw

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Both terms, and for comparison the error of predicting no difference at all."""
        styles, start, end = batch["codes"], batch["start"], batch["end"]
        wanted = batch["end_styles"] - styles
        condition = torch.cat([start, unit_difference(end - start)], dim=-1)
        predicted = network(styles, condition)
        return {
            "mse": mse_term(predicted, wanted),
            "cosine": cosine_term(predicted, wanted),
            "mse_of_zero": wanted.square().mean(),
        }

    def total(self, terms: dict[str, Tensor]) -> Tensor:
        """Weighted sum."""
        return torch.stack([weight * terms[name] for name, weight in self.weights.items()]).sum()

    def preview(self) -> tuple[list[str], Tensor] | None:
        """Text-driven edits by the network as it stands."""
        return None if self.draw is None else self.draw(self.trained_network())

    def configure_optimizers(self) -> Any:
        """Adam; at a constant rate, as published, or along a cosine."""
        optimizer = torch.optim.Adam(self.network.parameters(), lr=self.learning_rate)
        if self.final_rate == 1.0:
            return optimizer
        low = self.learning_rate * self.final_rate
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.total_steps, low)
        return [optimizer], [{"scheduler": schedule, "interval": "step"}]
