"""What the full grid on FFHQ at 1024 pixels would take: ``python tools/cost_model.py [--check]``.

Writes the part of docs/pages/cost.md between its markers. Operations and bytes are counted on networks of the published
sizes without weights or memory (torch's meta device); the rest is multiplication, and says so.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from textedit_bench import list_methods
from textedit_bench.bench.inputs import BATCH
from textedit_bench.bench.request import STANDARD_STRENGTHS
from textedit_bench.registry import load_dataset

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "pages" / "cost.md"
REFERENCE = ROOT / "results" / "reference" / "mini" / "cost.csv"
BEGIN, END = "<!-- counted:begin -->", "<!-- counted:end -->"

RATE = 20e12
"""Operations per second of one GPU: an assumption, not a measurement."""
PHOTOS = 1000
GPUS = (1, 8, 64)


@dataclass(frozen=True)
class Passes:
    """Operations of one picture through a network, and what a step of optimisation has to keep of it."""

    forward: float
    both: float
    kept_bytes: float
    parameter_bytes: float


def count(make: Callable[[], nn.Module], run: Callable[[Any, Tensor], Tensor], shape: tuple[int, ...]) -> Passes:
    """Count a forward pass, and one with the gradient of its input, at batch 1."""
    with torch.device("meta"):
        network = make().eval().requires_grad_(False)
        given = torch.empty(1, *shape, requires_grad=True)
    kept: dict[int, tuple[Tensor, int]] = {}

    def keep(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, nn.Parameter):
            kept[id(tensor)] = tensor, tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t), FlopCounterMode(display=False) as counter:
        found = run(network, given)
        forward = counter.get_total_flops()
        found.sum().backward()  # type: ignore[no-untyped-call]
    parameters = sum(p.numel() * p.element_size() for p in network.parameters())
    return Passes(forward, counter.get_total_flops(), sum(size for _, size in kept.values()), parameters)


def transformer(width: int, layers: int, side: int, patch: int) -> Passes:
    """A vision transformer by its formula: 24 n w^2 + 4 n^2 w operations per layer, and the patches."""
    n = (side // patch) ** 2 + 1
    forward = layers * (24.0 * n * width**2 + 4.0 * n**2 * width) + 2.0 * 3 * patch**2 * width * (n - 1)
    parameters = 4.0 * (12 * layers * width**2 + 3 * patch**2 * width)
    return Passes(forward, 2 * forward, 4.0 * layers * n * width * 14, parameters)


def networks() -> dict[str, Passes]:
    """Every network of the full tier that is run per picture."""
    from textedit_bench.models.encoder import StyleEncoder
    from textedit_bench.models.identity import ArcFace
    from textedit_bench.models.inception import Inception
    from textedit_bench.models.stylegan2 import Generator

    return {
        "generator, 1024": count(
            lambda: Generator(1024, 512, 512), lambda g, w: g.synthesize(w, noise="const"), (18, 512)
        ),
        "encoder (e4e)": count(lambda: StyleEncoder(18), lambda e, x: e(x), (3, 256, 256)),
        "IR-SE50": count(ArcFace, lambda r, x: r(x), (3, 112, 112)),
        "Inception": count(Inception, lambda i, x: i.network(x), (3, 299, 299)),
        "CLIP ViT-B/32": transformer(768, 12, 224, 32),
        "CLIP ViT-L/14": transformer(1024, 24, 224, 14),
    }


JUDGES = ("CLIP ViT-L/14", "CLIP ViT-B/32", "IR-SE50", "IR-SE50", "Inception")
"""Run on every edit. The held-out identity judge counts as another IR-SE50; LPIPS on AlexNet is left out (small)."""


def settings_of(method: str) -> dict[str, Any]:
    """A method's settings at the full tier."""
    return next(card for card in list_methods() if card.name == method).settings_for("full")


def steps_of(method: str) -> int:
    """Optimisation steps per photo and prompt; 0 for a method that is one pass."""
    return int(settings_of(method).get("steps", 0))


def operations(method: str, found: dict[str, Passes]) -> float:
    """Of one photo and prompt at all strengths: edit, synthesis, judges."""
    generator = found["generator, 1024"]
    step = generator.both + found["CLIP ViT-B/32"].both + found["IR-SE50"].both
    if settings_of(method).get("encoder_weight"):
        step += found["encoder (e4e)"].both
    each = generator.forward + sum(found[name].forward for name in JUDGES)
    return steps_of(method) * step + len(STANDARD_STRENGTHS) * each


def schedule(cells: list[float], gpus: int) -> float:
    """Hours until the last of the cells ends, each given to the GPU that is free first."""
    free = [0.0] * gpus
    for hours in cells:
        heapq.heapreplace(free, free[0] + hours)
    return max(free)


def mini_rows() -> list[dict[str, str]]:
    """What the committed run of the mini tier measured, methods only."""
    with REFERENCE.open(newline="") as file:
        controls = {card.name for card in list_methods() if card.control}
        return [row for row in csv.DictReader(file) if not row["matched"] and row["method"] not in controls]


def page() -> str:
    """The generated part of the page."""
    found = networks()
    card = load_dataset("ffhq")
    prompts = sum(prompt.split == "evaluation" for prompt in card.tier("full").prompts)
    measured = {row["method"] for row in mini_rows()}  # a method that somebody installed is not part of the page
    methods = [info.name for info in list_methods() if info.name in measured]
    lines = ["## Measured: the mini tier", ""]
    lines += [
        "| Method | Edit, ms | Synthesis, ms | Judges, ms | Peak memory, MiB |",
        "| :-- | --: | --: | --: | --: |",
    ]
    by_title: dict[str, list[dict[str, str]]] = {}
    for row in mini_rows():
        by_title.setdefault(row["title"], []).append(row)
    for title, rows in by_title.items():
        times = [
            statistics.mean(float(row[f"{stage}_ms_per_edit"]) for row in rows)
            for stage in ("edit", "synthesise", "score")
        ]
        peak = max(float(row["host_peak_mib"]) for row in rows)
        lines.append(f"| {title} | " + " | ".join(f"{t:.1f}" for t in times) + f" | {peak:.0f} |")
    lines += [
        "",
        "Per edited picture of 64 pixels, mean over the data sets, two CPU threads; from "
        "`results/reference/mini/cost.csv`. The peak is that of the whole process, all methods before included.",
        "",
    ]
    lines += ["## Counted: the networks of the full tier", ""]
    lines += ["| Network | Forward, GFLOP | With gradient, GFLOP | Kept for the gradient, MiB | Weights, MiB |"]
    lines += ["| :-- | --: | --: | --: | --: |"]
    for name, p in found.items():
        sizes = f"{p.kept_bytes / 2**20:.0f} | {p.parameter_bytes / 2**20:.0f}"
        lines.append(f"| {name} | {p.forward / 1e9:.1f} | {p.both / 1e9:.1f} | {sizes} |")
    lines += [
        "",
        "One picture, single precision, multiplications and additions counted apart. The CLIPs are counted by formula,",
    ]
    lines += ["the others on the networks themselves.", "", "## Extrapolated: hours of the grid", ""]
    grid = f"{len(methods)} methods x {prompts} prompts x {PHOTOS} photos x {len(STANDARD_STRENGTHS)} strengths"
    lines += [f"{grid}, each method's published steps, at an assumed"]
    lines += [f"{RATE / 1e12:.0f} TFLOP/s per GPU (everything scales with its inverse); a cell is one method"]
    lines += ["and prompt, given to the GPU that is free first. Trainings, inversion and controls are not in it.", ""]
    lines += ["| Method | Steps | One cell, h | " + " | ".join(f"{g} GPU{'s' * (g > 1)}, h" for g in GPUS) + " |"]
    lines += ["| :-- | --: | --: |" + " --: |" * len(GPUS)]
    every: list[float] = []
    for method in methods:
        hours = PHOTOS * operations(method, found) / RATE / 3600
        cells = [hours] * prompts
        every += cells
        ends = " | ".join(f"{schedule(cells, gpus):.1f}" for gpus in GPUS)
        lines.append(f"| `{method}` | {steps_of(method) or '-'} | {hours:.2f} | {ends} |")
    every.sort(reverse=True)
    ends = " | ".join(f"**{schedule(every, gpus):.1f}**" for gpus in GPUS)
    lines += [f"| **all** | | | {ends} |", "", "## Extrapolated: memory of a GPU", ""]
    generator = found["generator, 1024"]
    largest = 3 * 4 * 32 * 1024**2
    weights = sum(p.parameter_bytes for p in found.values())
    lines += ["| Work | GiB | From |", "| :-- | --: | :-- |"]
    lines += [f"| all networks | {weights / 2**30:.1f} | counted weights |"]
    big = "three tensors of the largest layer (32 x 1024 x 1024) per picture"
    lines += [f"| synthesis, batch {BATCH} | {BATCH * largest / 2**30:.1f} | {big} |"]
    for batch in (1, 4):
        size = batch * generator.kept_bytes / 2**30
        lines += [f"| a step of optimisation, batch {batch} | {size:.1f} | counted, kept for the gradient |"]
    return "\n".join(lines)


def main() -> int:
    """Write the page, or say whether it is up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    new = f"{before}\n{page()}\n{after}"
    if given.check:
        if new != text:
            print(f"{PAGE} is not what the networks, cards and records say; run: python tools/cost_model.py")
        return int(new != text)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
