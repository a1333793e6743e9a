"""ArcFace training on rendered subjects, each with many attribute values.

Beside the margin loss, the embedding predicts the subject's geometry: with a few thousand subjects the classes alone
say little about directions between them, and the regression makes training several times shorter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.roles import Identity, VerifyingIdentity
from textedit_bench.worlds.networks.identity import CONFIGS, EMBED_DIM, IdentityNetwork, verification
from textedit_bench.worlds.world import World
from textedit_workshop.worlds.training.augment import augment
from textedit_workshop.worlds.training.fit import Plan, Trained, fit
from textedit_workshop.worlds.training.pool import FRESH_SEED, POOL_SEED, Pool, cached_pool, identities

SUBJECTS, PICTURES_EACH = 2_400, 10
UNSEEN_SUBJECTS, UNSEEN_PICTURES_EACH = 600, 5
BATCH = 128
SCALE, MARGIN = 20.0, 0.25
REGRESSION_WEIGHT = 4.0


def margin_loss(cosines: Tensor, labels: Tensor, scale: float = SCALE, margin: float = MARGIN) -> Tensor:
    """Compute cross-entropy of scaled cosines with the true angle enlarged by ``margin`` (Deng et al. 2019, eq. 3).

    Args:
        cosines: [B, K] to the class centres.
        labels: [B].
    """
    angles = cosines.clamp(-1.0 + 1e-6, 1.0 - 1e-6).acos()
    own = F.one_hot(labels, cosines.shape[1]).bool()
    # Beyond pi the cosine would rise again.
    widened = torch.where(own, (angles + margin).clamp(max=torch.pi), angles)
    return F.cross_entropy(scale * widened.cos(), labels)


class IdentityTraining(Trained):
    """Margin loss over subjects and regression of their geometry.

    Args:
        network: what is trained.
        subjects: classes.
        factors: numbers of geometry per subject.
    """

    def __init__(self, network: IdentityNetwork, subjects: int, factors: int, plan: Plan) -> None:
        super().__init__(plan)
        self.network = network.train().to(memory_format=torch.channels_last)
        self.centres = nn.Parameter(F.normalize(torch.randn(subjects, EMBED_DIM), dim=1))
        self.geometry = nn.Linear(EMBED_DIM, factors)

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        """One step."""
        images, labels, geometry = batch
        unit = F.normalize(self.network(images.contiguous(memory_format=torch.channels_last)), dim=1)
        margin = margin_loss(unit @ F.normalize(self.centres, dim=1).T, labels)
        # Unit vectors of 128 numbers are small; the gain lets the linear read-out work on numbers of order one.
        regression = F.mse_loss(self.geometry(unit * EMBED_DIM**0.5), (geometry - 0.5) * 12**0.5)
        self.log("margin", margin)
        self.log("regression", regression)
        return margin + REGRESSION_WEIGHT * regression


class IdentityBatches:
    """Random pictures of a pool with ``each`` consecutive pictures per subject."""

    def __init__(self, pool: Pool, each: int, size: int, seed: int) -> None:
        self.pool, self.each, self.size, self.seed = pool, each, size, seed

    def __call__(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return pictures, subjects, geometry."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        index = torch.randint(len(self.pool), (self.size,), generator=generator)
        images = augment(self.pool.images(index), generator, shift=1)
        return images, index // self.each, self.pool.factors.identity[index]


def measure(network: Identity, pool: Pool, each: int) -> tuple[float, float]:
    """Return the threshold at 1 % false accepts and the true-accept rate on a pool of unseen subjects."""
    return verification(_vectors(network, pool), torch.arange(len(pool)) // each)


def false_accepts(network: VerifyingIdentity, pool: Pool, each: int) -> float:
    """Return the share of pairs of different subjects that the network's stored threshold accepts."""
    vectors, subjects = _vectors(network, pool), torch.arange(len(pool)) // each
    other = subjects[:, None] != subjects
    return float((vectors @ vectors.T >= network.threshold)[other].float().mean())


@torch.no_grad()
def _vectors(network: Identity, pool: Pool) -> Tensor:
    return torch.cat([network.embed(pool.images(slice(i, i + 256))) for i in range(0, len(pool), 256)])


def unseen_pool(world: World, folder: Path) -> Pool:
    """Render subjects that no training uses, five pictures of each with different attributes and nuisances."""
    sampler = identities(world, UNSEEN_PICTURES_EACH)
    count = UNSEEN_SUBJECTS * UNSEEN_PICTURES_EACH
    return cached_pool(world, count, FRESH_SEED, folder, f"subjects{UNSEEN_PICTURES_EACH}", sampler)


def train(world: World, role: str, plan: Plan, pools: Path) -> tuple[IdentityNetwork, float, dict[str, Any]]:
    """Train a guiding (``identity``) or evaluating (``judge_identity``) network; return wall time and figures."""
    network = IdentityNetwork(**CONFIGS[role])
    plan.prepare(network)
    sampler = identities(world, PICTURES_EACH)
    # The two networks learn from different subjects.
    seed = POOL_SEED + (1_000 if role == "judge_identity" else 0)
    pool = cached_pool(world, SUBJECTS * PICTURES_EACH, seed, pools, f"subjects{PICTURES_EACH}", sampler)
    module = IdentityTraining(network, SUBJECTS, pool.factors.identity.shape[1], plan)
    seconds = fit(module, IdentityBatches(pool, PICTURES_EACH, BATCH, plan.seed), plan)
    network.eval()
    threshold, accepted = measure(network, unseen_pool(world, pools), UNSEEN_PICTURES_EACH)
    network.threshold_value.fill_(threshold)
    return network, seconds, {"threshold": threshold, "true_accepts_at_1_percent": accepted}
