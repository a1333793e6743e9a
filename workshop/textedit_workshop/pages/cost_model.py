"""What the full grid on FFHQ at 1024 pixels would take: ``python -m textedit_workshop.pages.cost_model [--check]``.

Writes the part of docs/pages/cost.md between its markers. Operations and bytes are counted on networks of the published
sizes; times beside the networks were measured by `textedit_workshop.perf.edit_cost`; the rest is multiplication, and
says so.
"""

from __future__ import annotations

import argparse
import csv
import heapq
import statistics
import sys
from pathlib import Path
from typing import Any

from textedit_bench import list_methods
from textedit_bench.bench.kept import SHOWN
from textedit_bench.bench.request import STANDARD_STRENGTHS
from textedit_bench.controls.cards import copied
from textedit_bench.registry import load_dataset
from textedit_bench.report.formats import table_lines
from textedit_workshop import ROOT
from textedit_workshop.perf.counts import Passes, networks, transformer

__all__ = ["main", "page", "schedule", "transformer"]

PAGE = ROOT / "docs" / "pages" / "cost.md"
REFERENCE = ROOT / "results" / "reference" / "mini" / "cost.csv"
BESIDE = ROOT / "results" / "reference" / "full" / "edit_cost.csv"
BEGIN, END = "<!-- counted:begin -->", "<!-- counted:end -->"

RATE = 20e12
"""Operations per second of one GPU: an assumption, not a measurement."""
THREADS = 4
"""Processor cores beside each GPU that encode and hash pictures: an assumption."""
PHOTOS = 1000
GPUS = (1, 8, 64)
CODES = 4 * 18 * 512
"""Bytes of an edit's W+ codes, which are always kept."""
JUDGES = ("CLIP ViT-L/14", "CLIP ViT-B/32", "IR-SE50", "IR-SE50", "Inception")
"""Run on every edit. The held-out identity judge counts as another IR-SE50; LPIPS on AlexNet is left out (small)."""
THREADED, ON_DEVICE, ONCE = ("PNG", "digest"), ("face presence",), ("landmarks of a photo, once",)
"""Work beside the networks: what threads do, what moves to the GPU with the bench, what is done once per photo."""


def settings_of(method: str) -> dict[str, Any]:
    """A method's settings at the full tier."""
    return next(card for card in list_methods() if card.name == method).settings_for("full")


def steps_of(method: str) -> int:
    """Optimisation steps per photo and prompt; 0 for a method that is one pass."""
    return int(settings_of(method).get("steps", 0))


def one_pass(found: dict[str, Passes]) -> float:
    """Operations of one edited picture: synthesis and judges."""
    return found["generator, 1024"].forward + sum(found[name].forward for name in JUDGES)


def operations(method: str, found: dict[str, Passes]) -> float:
    """Of one photo and prompt at all strengths: edit, synthesis, judges."""
    step = sum(found[name].both for name in ("generator, 1024", "CLIP ViT-B/32", "IR-SE50"))
    if settings_of(method).get("encoder_weight"):
        step += found["encoder (e4e)"].both
    return steps_of(method) * step + len(STANDARD_STRENGTHS) * one_pass(found)


def schedule(cells: list[float], gpus: int) -> float:
    """Hours until the last of the cells ends, each given to the GPU that is free first."""
    free = [0.0] * gpus
    for hours in cells:
        heapq.heapreplace(free, free[0] + hours)
    return max(free)


def rows_of(path: Path) -> list[dict[str, str]]:
    """A committed table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def mini_rows() -> list[dict[str, str]]:
    """What the committed run of the mini tier measured, methods only."""
    controls = {card.name for card in list_methods() if card.control}
    return [row for row in rows_of(REFERENCE) if not row["matched"] and row["method"] not in controls]


class Beside:
    """Milliseconds of processor time per edited picture, beside the networks."""

    def __init__(self, form: str = "now_ms") -> None:
        measured = {row["work"]: float(row[form]) for row in rows_of(BESIDE)}
        self.once = sum(measured[work] for work in ONCE)
        self.total = sum(measured.values()) - self.once
        self.png = measured["PNG"]
        self.threaded = sum(measured[work] for work in THREADED)
        self.waiting = self.total - self.threaded - sum(measured[work] for work in ON_DEVICE)
        """Of the thread that also feeds the GPU."""

    def hours(self, gpu: float, edits: int, png: bool) -> float:
        """Of so many edits on one GPU that needs ``gpu`` hours for them: threads work beside it, the rest waits."""
        threads = (self.threaded if png else self.threaded - self.png) * edits / THREADS / 3.6e6
        return max(gpu, threads) + self.waiting * edits / 3.6e6


def mini_table() -> list[str]:
    """What the mini tier took."""
    cells = []
    by_title: dict[str, list[dict[str, str]]] = {}
    for row in mini_rows():
        by_title.setdefault(row["title"], []).append(row)
    for title, rows in by_title.items():
        stages = ("edit", "synthesise", "score")
        times = [statistics.mean(float(row[f"{stage}_ms_per_edit"]) for row in rows) for stage in stages]
        peak = max(float(row["host_peak_mib"]) for row in rows)
        cells.append([title, *(f"{t:.1f}" for t in times), f"{peak:.0f}"])
    heads = ("Method", "Edit, ms", "Synthesis, ms", "Judges, ms", "Peak memory, MiB")
    lines = ["## Measured: the mini tier", "", *table_lines(heads, cells)]
    lines += ["", "Per edited picture of 64 pixels, mean over the data sets, one CPU thread beside other jobs; from"]
    lines += [
        "`results/reference/mini/cost.csv`. The peak is that of the whole process, all methods before included.",
        "",
    ]
    return lines


def beside_table() -> list[str]:
    """What is done per edited picture beside the networks."""
    rows = rows_of(BESIDE)
    lines = ["## Measured: beside the networks, per edited picture of 1024 pixels", ""]
    cells: list[list[str]] = []
    for row in rows:
        work = row["work"]
        where = "threads, beside the next synthesis" if work in THREADED else "the thread that feeds the GPU"
        if work in ON_DEVICE:
            where = "in batches, on the bench's device"
        if work not in ONCE:
            cells.append([work, f"{float(row['before_ms']):.1f}", f"{float(row['now_ms']):.1f}", where])
    before, now = Beside("before_ms"), Beside()
    png = next(row for row in rows if row["work"] == "PNG")
    cells.append(["**all**", f"**{before.total:.0f}**", f"**{now.total:.0f}**", ""])
    lines += [*table_lines(("Work", "Before, ms", "Now, ms", "Where"), cells, "lrrl"), ""]
    size = f"{float(png['before_kb']):.0f} kB before and {float(png['now_kb']):.0f} kB now"
    lines += [f"Milliseconds of processor time on two threads of an {rows[0]['processor']}, by"]
    lines += ["`textedit_workshop.perf.edit_cost`: a real face in FFHQ's frame, with and without grain, as a file of"]
    lines += [f"{size}. The landmarks of a photo take another {now.once:.0f} ms, once per photo.", ""]
    return lines


def network_table(found: dict[str, Passes]) -> list[str]:
    """Operations and bytes of every network."""
    lines = ["## Counted: the networks of the full tier", ""]
    heads = ("Network", "Forward, GFLOP", "With gradient, GFLOP", "Kept for the gradient, MiB", "Weights, MiB")
    cells = [
        [
            name,
            *(f"{n / 1e9:.1f}" for n in (p.forward, p.both)),
            *(f"{n / 2**20:.0f}" for n in (p.kept_bytes, p.parameter_bytes)),
        ]
        for name, p in found.items()
    ]
    lines += table_lines(heads, cells)
    lines += [
        "",
        "One picture, single precision, multiplications and additions counted apart. The CLIPs are counted by formula,",
    ]
    return [*lines, "the others on the networks themselves.", ""]


def grid_table(found: dict[str, Passes], methods: list[str], prompts: int) -> list[str]:
    """Hours of the grid."""
    now = Beside()
    copying = [card.name for card in list_methods() if copied(card.name)]
    size = f"{len(methods)} methods x {prompts} prompts x {PHOTOS} photos x {len(STANDARD_STRENGTHS)} strengths"
    lines = ["## Extrapolated: hours of the grid", ""]
    lines += [f"{size}, each method's published steps."]
    lines += [f"Counted: operations. Assumed: {RATE / 1e12:.0f} TFLOP/s per GPU (everything scales with its inverse),"]
    lines += [
        f"{THREADS} cores beside each. Measured: the rest. A cell is one method and prompt, given to the GPU that"
    ]
    lines += [
        "is free first; pictures are kept as the full tier keeps them (`shown`). Threads work beside the GPU; what the"
    ]
    lines += ["thread that feeds it does comes on top. Trainings, inversion and MTCNN's small networks are not in it."]
    lines += [
        f"Controls: {' and '.join(f'`{name}`' for name in copying)} once per method, at its default strength alone (an"
    ]
    lines += ["upper bound: pictures that come back soon are not judged again); the others show photos and inversions,"]
    lines += ["which are judged once.", ""]
    ends = [f"{gpus} GPU{'s' * (gpus > 1)}, h" for gpus in GPUS]
    heads = ("Method", "Steps", "GPU alone, one cell, h", "One cell, h", *ends)
    rows: list[list[object]] = []
    every: list[float] = []

    def add(name: str, steps: int, gpu: float, count: int, edits: int) -> None:
        cells = [now.hours(gpu, edits, png=False)] * count
        every.extend(cells)
        ends = [f"{schedule(cells, gpus):.1f}" for gpus in GPUS]
        rows.append([name, steps or "-", f"{gpu:.3f}", f"{cells[0]:.3f}", *ends])

    for method in methods:
        gpu = PHOTOS * operations(method, found) / RATE / 3600
        add(f"`{method}`", steps_of(method), gpu, prompts, PHOTOS * len(STANDARD_STRENGTHS))
    once = PHOTOS * one_pass(found) / RATE / 3600
    for name in copying:
        add(f"control `{name}`", 0, once, prompts * len(methods), PHOTOS)
    every.sort(reverse=True)
    rows.append(["**all**", "", "", "", *(f"**{schedule(every, gpus):.1f}**" for gpus in GPUS)])
    total = PHOTOS * prompts * len(methods) * (len(STANDARD_STRENGTHS) + len(copying))
    lines += [*table_lines(heads, rows), ""]
    gpu = sum(PHOTOS * operations(method, found) for method in methods) * prompts / RATE / 3600
    gpu += once * prompts * len(methods) * len(copying)
    before = gpu + total * Beside("before_ms").total / 3.6e6
    lines += [
        "With the work beside the networks as it was, nothing overlapped and every picture kept, one GPU would take"
    ]
    lines += [f"{before:.0f} h for the same cells."]
    lines += [f"Landmarks: {PHOTOS * now.once / 3.6e6:.2f} h of one core, once per data set.", ""]
    return lines


def disk_table(methods: list[str], prompts: int) -> list[str]:
    """What the pictures of the methods' cells take."""
    png, kb = Beside().png, next(float(row["now_kb"]) for row in rows_of(BESIDE) if row["work"] == "PNG")
    cells, strengths = len(methods) * prompts, len(STANDARD_STRENGTHS)
    lines = ["## Extrapolated: pictures on the disk", ""]
    rows = []
    for policy, photos in (("all", PHOTOS), ("shown", SHOWN), ("none", 0)):
        pictures = cells * photos * strengths
        figures = f"{pictures:,}", f"{pictures * kb / 1e6:,.0f}", f"{pictures * png / 3.6e6:.1f}"
        rows.append([f"`{policy}`", *figures])
    heads = ("`--keep-pictures`", "Pictures, counted", "GB, from measured sizes", "Encoding, core hours")
    lines += table_lines(heads, rows)
    codes = cells * PHOTOS * strengths * CODES / 1e9
    lines += ["", "Of all methods. Edited codes, from which pictures are made again, are always kept:"]
    return [
        *lines,
        f"{codes:.0f} GB in W+, and as much in styles. The full tier keeps `shown`: the first photos of every cell.",
        "",
    ]


def memory_table(found: dict[str, Passes]) -> list[str]:
    """What a GPU has to hold."""
    generator, largest = found["generator, 1024"], 3 * 4 * 32 * 1024**2
    weights = sum(p.parameter_bytes for p in found.values())
    rows = [("all networks", f"{weights / 2**30:.1f}", "counted weights")]
    big = "three tensors of the largest layer (32 x 1024 x 1024) per picture"
    for batch in (1, 4):
        rows.append((f"synthesis, batch {batch}", f"{batch * largest / 2**30:.1f}", big))
    for batch in (1, 4):
        size = batch * generator.kept_bytes / 2**30
        rows.append((f"a step of optimisation, batch {batch}", f"{size:.1f}", "counted, kept for the gradient"))
    return ["## Extrapolated: memory of a GPU", "", *table_lines(("Work", "GiB", "From"), rows, "lrl")]


def page() -> str:
    """The generated part of the page."""
    found = networks()
    prompts = sum(prompt.split == "evaluation" for prompt in load_dataset("ffhq").tier("full").prompts)
    # a method that somebody installed is not part of the page
    own = [info for info in list_methods() if info.editor.startswith("textedit_methods.")]
    methods = [info.name for info in own if "edit" in info.tasks]
    parts = [mini_table(), beside_table(), network_table(found), grid_table(found, methods, prompts)]
    return "\n".join(line for part in (*parts, disk_table(methods, prompts), memory_table(found)) for line in part)


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
            print(f"{PAGE} is not what the networks, cards and records say; run this without --check")
        return int(new != text)
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
