"""The quality bars of a world: every network of the mini tier measured against what it must reach.

`check_world` returns one `Figure` per bar. What the figures are measured on is fixed here, so that two checks of the
same weights agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch

from textedit_bench.errors import UserError
from textedit_bench.files import write_text
from textedit_bench.worlds.captions import grammar_of
from textedit_bench.worlds.world import Factors
from textedit_workshop.worlds.check_boundaries import boundary_figures
from textedit_workshop.worlds.check_codes import code_figures, path_figures
from textedit_workshop.worlds.check_generator import correlation, readings, total_variation
from textedit_workshop.worlds.check_samples import factor_figures, sample_figures
from textedit_workshop.worlds.figures import HEADER, Figure, Sizes, table
from textedit_workshop.worlds.training.attributes import oracle_accuracy
from textedit_workshop.worlds.training.clip import zero_shot
from textedit_workshop.worlds.training.identity import UNSEEN_PICTURES_EACH, false_accepts, measure
from textedit_workshop.worlds.training.pool import FRESH_SEED, Pool, identities, render_pool

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.roles import ClipRole, IdentityRole, OracleRole, VerifyingIdentity
    from textedit_bench.worlds.world import World


_ROLES = {
    "oracle": ("oracle",),
    "second_oracle": ("second_oracle",),
    "clip": ("clip",),
    "judge_clip": ("judge_clip",),
    "identity": ("identity",),
    "judge_identity": ("judge_identity",),
    "generator": ("generator", "oracle"),
    "factors": ("generator", "oracle"),
    "samples": ("generator", "oracle", "features"),
    "paths": ("generator", "perceptual"),
    "codes": ("generator",),
    "boundaries": ("generator", "oracle", "clip"),
    "inversion": ("generator", "encoder", "oracle", "judge_identity"),
}
"""What is measured, and the networks that it takes."""

PARTS = tuple(_ROLES)
_OF_GENERATOR = {
    "factors": factor_figures,
    "samples": sample_figures,
    "paths": path_figures,
    "codes": code_figures,
    "boundaries": boundary_figures,
}


def check_world(
    domain: Domain,
    parts: Sequence[str] = PARTS,
    sizes: Sizes | None = None,
    report: Callable[[str], None] | None = None,
) -> list[Figure]:
    """Measure the bars of a mini-tier domain.

    Args:
        domain: its networks and its world.
        parts: which of `PARTS`.
        sizes: how many pictures; smaller ones are for tests.
        report: called with the part that is being measured.

    Raises:
        UserError: the domain has no procedural world.
    """
    world, sizes = _world(domain), sizes or Sizes()
    figures: list[Figure] = []
    fresh: Pool | None = None
    for part in parts:
        missing = [role for role in _ROLES[part] if not _there(domain, role)]
        if missing:
            figures.append(Figure(part, f"weights missing: {', '.join(missing)}", None, None))
            continue
        if report:
            report(f"measuring {part}")
        with torch.no_grad():
            if part == "generator":
                figures += _generator(domain, sizes)
            elif part in _OF_GENERATOR:
                figures += _OF_GENERATOR[part](domain, world, sizes)
            elif part == "inversion":
                figures += _inversion(domain, sizes)
            elif "identity" in part:
                figures += _identity(domain, cast("IdentityRole", part), sizes)
            else:
                if fresh is None:
                    stream = torch.Generator().manual_seed(FRESH_SEED)
                    fresh = render_pool(world, world.sample(sizes.renders, stream))
                if "oracle" in part:
                    figures += _oracle(domain, cast("OracleRole", part), fresh)
                else:
                    figures += _clip(domain, cast("ClipRole", part), fresh)
    return figures


def _world(domain: Domain) -> World:
    if domain.world is None:
        raise UserError(f"dataset {domain.name}, tier {domain.tier} has no procedural world to check")
    return domain.world


def _there(domain: Domain, role: str) -> bool:
    try:
        return domain.path(role).is_file()
    except UserError:
        return False


def _scores(part: str, what: str, scores: dict[str, float], each: float | None, mean: float, n: int) -> list[Figure]:
    """The mean over attributes and every attribute, each against its bar."""
    average = Figure(part, f"{what}, mean", sum(scores.values()) / len(scores), mean, n=n)
    return [average, *(Figure(part, f"{what}, {name}", value, each, n=n) for name, value in scores.items())]


def _oracle(domain: Domain, role: OracleRole, fresh: Pool) -> list[Figure]:
    return _scores(role, "accuracy", oracle_accuracy(domain.network(role), fresh), 0.95, 0.98, len(fresh))


def _clip(domain: Domain, role: ClipRole, fresh: Pool) -> list[Figure]:
    clip, grammar = domain.network(role), grammar_of(_world(domain))
    seen = zero_shot(clip, grammar, fresh)
    held_out = zero_shot(clip, grammar, fresh, held_out=True)
    new = Figure(
        role, "zero-shot in held-out wordings, mean", sum(held_out.values()) / len(held_out), 0.90, n=len(fresh)
    )
    return [*_scores(role, "zero-shot", seen, 0.85, 0.95, len(fresh)), new]


def _identity(domain: Domain, role: IdentityRole, sizes: Sizes) -> list[Figure]:
    world, network = _world(domain), _judge(domain, role)
    sampler = identities(world, UNSEEN_PICTURES_EACH)
    count = sizes.subjects * UNSEEN_PICTURES_EACH
    # Other subjects than those the stored threshold was measured on.
    pool = render_pool(world, sampler(count, torch.Generator().manual_seed(FRESH_SEED + 1)))
    _, accepted = measure(network, pool, UNSEEN_PICTURES_EACH)
    wrong = false_accepts(network, pool, UNSEEN_PICTURES_EACH)
    return [
        Figure(role, "true accepts at 1 % false accepts", accepted, 0.95, n=count),
        Figure(role, "false accepts at the stored threshold", wrong, 0.02, at_most=True, n=count),
    ]


def _judge(domain: Domain, role: IdentityRole) -> VerifyingIdentity:
    """The identity network of a world, which always has a threshold."""
    return cast("VerifyingIdentity", domain.network(role))


def _generator(domain: Domain, sizes: Sizes) -> list[Figure]:
    world, oracle = _world(domain), domain.network("oracle")
    stream = torch.Generator().manual_seed(FRESH_SEED)
    generator = domain.generator

    def samples(count: int) -> torch.Tensor:
        w = generator.map(torch.randn(count, generator.z_dim, generator=stream).to(domain.device))
        return generator.synthesize(generator.broadcast(w))

    made = readings(oracle, samples, sizes.samples)
    drawn = readings(oracle, lambda count: world.render(world.sample(count, stream)).images, sizes.samples)
    n = sizes.samples
    figures = []
    for i, attribute in enumerate(world.attributes):
        distance = total_variation(made[:, i], drawn[:, i], len(attribute.values))
        rarest = min(int((made[:, i] == value).sum()) for value in range(len(attribute.values)))
        figures.append(Figure("generator", f"total variation, {attribute.name}", distance, 0.10, at_most=True, n=n))
        figures.append(Figure("generator", f"samples of the rarest value, {attribute.name}", float(rarest), 1.0, n=n))
        if attribute.given is not None:
            pair = correlation(world, attribute, made)
            # Attributes that cannot be seen blur the readings of renders as well: these are what to compare with.
            wanted = correlation(world, attribute, drawn)
            name = f"correlation of {attribute.name} and {attribute.given[0]} (renders: {wanted:.2f})"
            figures.append(Figure("generator", name, pair, wanted - 0.10, n=n))
    return figures


def _inversion(domain: Domain, sizes: Sizes) -> list[Figure]:
    world, oracle, judge = _world(domain), domain.network("oracle"), _judge(domain, "judge_identity")
    photos = domain.photos("evaluation", sizes.inversions)
    if photos.factors is None:
        raise UserError(f"dataset {domain.name}, tier {domain.tier}: the factors of its photos are unknown")
    visible = world.render(photos.factors).visible
    agreed, similar = [], []
    for part in photos.images.split(50):
        inverted = domain.generator.synthesize(domain.inverter.encode(part))
        before, after = oracle.predict(part), oracle.predict(inverted)
        agreed.append((before == after) & (after >= 0))
        similar.append((judge.embed(part) * judge.embed(inverted)).sum(1))
    same, cosines = torch.cat(agreed).cpu(), torch.cat(similar)
    others = world.sample(sizes.inversions, torch.Generator().manual_seed(FRESH_SEED))
    second = world.render(Factors(others.attributes, photos.factors.identity, others.nuisance)).images
    pairs = zip(photos.images.split(50), second.split(50), strict=True)
    of_second = torch.cat([(judge.embed(a) * judge.embed(b.to(a))).sum(1) for a, b in pairs])
    scores = [float(same[visible[:, i], i].float().mean()) for i in range(same.shape[1])]
    by_name = {a.name: score for a, score in zip(world.attributes, scores, strict=True)}
    accepted = float((cosines >= judge.threshold).float().mean())
    n = sizes.inversions
    return [
        *_scores("inversion", "oracle agreement", by_name, None, 0.93, n),
        Figure("inversion", "identity above the 1 % false-accept threshold", accepted, 0.95, n=n),
        Figure(
            "inversion",
            "identity, mean cosine with the photo",
            float(cosines.mean()),
            0.6,
            n=n,
            up_to=0.85,
            aim=True,
        ),
        Figure(
            "inversion", "identity of a second photo of the subject, mean cosine", float(of_second.mean()), None, n=n
        ),
    ]


def write_readme(domain: Domain, figures: Sequence[Figure], path: Path) -> Path:
    """The world's page: every figure with its bar, and how each file of weights was made."""
    from textedit_workshop.worlds.records import training_table

    lines = [
        f"# Networks of the mini tier: {domain.name}",
        "",
        "Written by `textedit-bench worlds check`; the numbers are measured, not copied from training.",
        "",
        "## Figures",
        "",
        *_markdown(HEADER, table(figures)),
        "",
        "Oracles are measured on fresh renders with the blur, loss of resolution and noise of reconstructions; an",
        "abstention counts as wrong. Zero-shot: one random wording per picture and value. Identity: subjects,",
        "attributes and nuisances that no training saw. Generator: what the oracle reads off samples against what it",
        "reads off as many renders. Samples: pictures of the generator against renders of the factors that their z",
        "stands for. Paths: Karras et al. 2019, sec. 4.1, with this tier's perceptual distance.",
        "Codes: Eastwood and Williams 2018, sparse logistic classifiers of the single attribute values. Boundaries: as",
        "InterFaceGAN draws them from CLIP's scores, against the one between the factors; a leak is the share of edits",
        "across it that also bring the value which goes with the asked one in the data. Inversion: photos of the",
        "evaluation split against their inversions.",
        "",
        "Factors: pictures of the codes that stand for whole attribute values, not for mixtures. An aim is what would",
        "be like a generator that was trained on photos; missing one does not make the check fail.",
        "",
        "## Training",
        "",
        *_markdown(*training_table(domain)),
        "",
    ]
    write_text(path, "\n".join(lines))
    return path


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in [header, ["---"] * len(header), *rows]]
