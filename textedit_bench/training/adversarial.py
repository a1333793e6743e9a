"""The Lightning module of trainings in which the network and a critic take turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textedit_bench.training.lightning_module import EditorModule

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

Terms = dict[str, Tensor]
CRITIC_BETAS = (0.0, 0.9)
"""Of the critic's Adam: practice since WGAN-GP."""


class AdversarialModule(EditorModule):
    """Trains a network against its ``critic``, which a subclass creates; the optimisation is manual.

    Args:
        network: what is trained and kept.
        domain: of its frozen networks.
        critic_learning_rate: of the critic's Adam.
        options: of `EditorModule`.
    """

    critic: nn.Module

    def __init__(self, network: nn.Module, domain: Domain, *, critic_learning_rate: float, **options: Any) -> None:
        super().__init__(network, domain, **options)
        self.automatic_optimization = False
        self.critic_learning_rate = critic_learning_rate

    def step_network(self, terms: Callable[[], Terms], clip: float = 0.0) -> tuple[Terms, Tensor]:
        """Take a step of the network; its loss leaves no gradients in the critic.

        Args:
            terms: computes the terms of the loss.
            clip: maximum norm of the gradient; 0 for no limit.

        Returns:
            The terms, and the loss.
        """
        players: Any = self.optimizers()
        self.critic.requires_grad_(False)
        found = terms()
        loss = self.total(found)
        players[0].zero_grad()
        self.manual_backward(loss)
        if clip:
            self.clip_gradients(players[0], clip, "norm")
        players[0].step()
        self.critic.requires_grad_(True)
        return found, loss

    def step_critic(self, terms: Terms, loss: Tensor) -> Terms:
        """Take a step of the critic on its loss; return the terms for the log."""
        players: Any = self.optimizers()
        optimizer = players[1]
        optimizer.zero_grad()
        self.manual_backward(loss)
        # the optimiser itself, not Lightning's wrapper: a step of the run is one of the network
        optimizer.optimizer.step()
        return {name: value.detach() for name, value in terms.items()}

    def configure_optimizers(self) -> Any:
        """Create the network's optimiser and schedules, and the critic's Adam."""
        [optimizer], schedules = super().configure_optimizers()
        critic = torch.optim.Adam(self.critic.parameters(), lr=self.critic_learning_rate, betas=CRITIC_BETAS)
        return [optimizer, critic], schedules
