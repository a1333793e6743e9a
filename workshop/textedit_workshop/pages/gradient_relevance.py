"""Compare relevances from gradients with the sweep's: ranks, top channels, and scores of edits.

Run as ``python -m textedit_workshop.pages.gradient_relevance --dataset ffhq``; needs the swept matrix.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.metrics.column import OK, Column
from textedit_bench.metrics.statistics.components import Spread, two_way_spread
from textedit_bench.prompt import Prompt
from textedit_methods.styleclip_global.method import StyleCLIPGlobal

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.editor import Latents

TOP = 20


@dataclass(frozen=True)
class Agreement:
    """Of two projections of one prompt.

    Attributes:
        spearman: rank correlation over all channels, signs included.
        overlap: share of the ``TOP`` channels of largest magnitude that both have.
    """

    spearman: float
    overlap: float


def agreement(first: Tensor, second: Tensor) -> Agreement:
    """Compare the relevances [N] of all channels to one prompt."""
    from scipy.stats import spearmanr

    top = [set(values.abs().topk(min(TOP, len(values))).indices.tolist()) for values in (first, second)]
    correlation = spearmanr(first.cpu().numpy(), second.cpu().numpy()).statistic
    return Agreement(float(correlation), len(top[0] & top[1]) / len(top[0]))


@torch.no_grad()
def truth(domain: Domain, editor: StyleCLIPGlobal, latents: Latents, prompt: Prompt) -> Tensor:
    """Success and preservation [2, B] of edits at strength 1; nan if they are not defined.

    Args:
        latents: the first inverted photos of the development split.

    Raises:
        UserError: no channel passes the threshold, or the domain has no ground truth.
    """
    from textedit_bench.metrics.suite import Suite

    suite = Suite(domain)
    if "success" not in suite.protocols:
        raise UserError(f"data set {domain.name}, tier {domain.tier} has no ground truth; leave out --images")
    photos = domain.photos("development", len(latents))
    inversions = domain.generator.synthesize(latents).clamp(-1, 1)
    edits = domain.generator.synthesize(editor.edit(latents, prompt.without_truth)).clamp(-1, 1)
    columns = suite.score_batch(
        photos=photos.images, inversions=inversions, edits=edits, prompt=prompt, factors=photos.factors
    )
    return torch.stack([_known(columns["success"]), _known(columns["preservation"])])


def _known(column: Column) -> Tensor:
    pairs = zip(column.values, column.states, strict=True)
    return torch.tensor([float(value) if state == OK else math.nan for value, state in pairs])


def paired(swept: Tensor, gradient: Tensor) -> Spread:
    """Mean of gradient's minus sweep's values [prompts, B] and its uncertainty over prompts and images."""
    return two_way_spread((gradient - swept).numpy())


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line per prompt and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="ffhq")
    parser.add_argument("--tier", default="mini")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--weights", help="a matrix of relevances instead of the committed one")
    parser.add_argument("--split", default="development", help="split of the prompts")
    parser.add_argument("--images", type=int, default=24, help="development images whose edits are judged; 0: none")
    parser.add_argument("--probes", type=int, default=None)
    parser.add_argument("--gradient-images", type=int, default=None)
    chosen = parser.parse_args(arguments)
    domain = load_domain(chosen.dataset, chosen.tier, chosen.device)
    swept = StyleCLIPGlobal(domain)
    swept.load(chosen.weights or swept.weights_path())
    given = {"probes": chosen.probes, "gradient_images": chosen.gradient_images}
    gradient = StyleCLIPGlobal(
        domain, relevance="gradient", **{name: value for name, value in given.items() if value is not None}
    )
    latents = domain.invert(domain.photos("development", chosen.images)) if chosen.images else None
    columns = ["spearman", f"top {TOP}", "success", "gradient's", "preserved", "gradient's"]
    print(f"{'prompt':20s}" + "".join(f"{name:>12s}" for name in (columns if latents else columns[:2])))
    rows, judged = [], []
    for name, prompt in domain.prompts(chosen.split).items():
        agrees = agreement(swept.projection(prompt), gradient.projection(prompt))
        row = [agrees.spearman, agrees.overlap]
        if latents is not None:
            judged.append(torch.stack([_judge(domain, editor, latents, prompt) for editor in (swept, gradient)]))
            row += judged[-1].nanmean(-1).T.flatten().tolist()
        rows.append(row)
        print(f"{name:20s}" + "".join(f"{value:12.3f}" for value in row), flush=True)
    means = torch.tensor(rows).nanmean(0).tolist()
    print(f"{'mean':20s}" + "".join(f"{value:12.3f}" for value in means))
    lowest, highest = (f(row[0] for row in rows) for f in (min, max))
    print(f"Spearman from {lowest:.3f} to {highest:.3f}")
    if judged:
        both = torch.stack(judged, 2)  # [editor, metric, prompts, B]
        for name, swept_values, gradient_values in zip(("success", "preservation"), *both, strict=True):
            spread = paired(swept_values, gradient_values)
            print(f"{name}, gradient's minus sweep's: {spread.mean:+.3f} +- {spread.margin(0.95):.3f} (95 %)")


def _judge(domain: Domain, editor: StyleCLIPGlobal, latents: Latents, prompt: Prompt) -> Tensor:
    """Return success and preservation; an edit without channels changes nothing: success 0, preservation 1."""
    try:
        return truth(domain, editor, latents, prompt)
    except UserError as error:
        if "no channel reaches" not in str(error):
            raise
        return torch.tensor([[0.0], [1.0]]).expand(2, len(latents))


if __name__ == "__main__":
    main()
