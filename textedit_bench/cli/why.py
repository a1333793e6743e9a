"""``textedit-bench why``: trace an entry of the table to its runs, settings, values and command."""

from __future__ import annotations

import json as json_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textedit_bench.cli.options import Json, Results

if TYPE_CHECKING:
    from textedit_bench.report.why import Why

SHOWN = 24
"""Per-image values printed unless all are asked for."""


def why(
    cell: Annotated[str, typer.Argument(metavar="CELL", help="METHOD/DATASET/METRIC[/trained|unseen], or a digest.")],
    tier: Annotated[str, typer.Option("--tier", "-t", metavar="TIER", help="mini or full.")] = "mini",
    everything: Annotated[bool, typer.Option("--all", help="Print every per-image value.")] = False,
    results: Results = Path("results"),
    json: Json = False,
) -> None:
    """Show what an entry of the table was computed from: runs, settings, per-image values, exact command.

    \b
    Examples:
      textedit-bench why METHOD/DATASET/success
      textedit-bench why METHOD/DATASET/identity/unseen --all
      textedit-bench why 21c505267101 --json
    """
    from textedit_bench.bench.store import Store
    from textedit_bench.cli.output import print_json
    from textedit_bench.data.card import TIERS
    from textedit_bench.errors import unknown_choice
    from textedit_bench.report.why import explain

    if tier not in TIERS:
        raise unknown_choice("tier", tier, TIERS)
    found = explain(Store(results), tier, cell)
    if json:
        print_json([entry.to_json() for entry in found])
        return
    typer.echo("\n\n".join(_text(entry, everything) for entry in found))


def _text(entry: Why, everything: bool) -> str:
    interval = f" [{entry.low:.4g}, {entry.high:.4g}]" if entry.low == entry.low else ""
    lines = [
        entry.address,
        f"  {entry.title}, strength {entry.strength:g}, {entry.images} images: "
        f"{entry.value:.4g}{interval}, {entry.n} values" + (f", {entry.left_out} left out" if entry.left_out else ""),
        f"  measured as {entry.protocol or '-'}",
    ]
    for run in entry.runs:
        lines.append(f"  run {run.digest}: {run.prompt_id} ({_plain(run.prompt)}), seed {run.seed}, {run.finished}")
        lines.append(f"    folder    {run.folder}")
        lines.append(f"    weights   {run.weights or 'none'}; device {run.device}, {run.threads} threads")
        lines.append(f"    settings  {json_.dumps(dict(run.settings), sort_keys=True)}")
        lines.append(f"    revision  {run.git_revision or 'not known'}")
        lines.append(f"    command   {_plain(run.command) or 'not recorded'}")
    if len(entry.values):
        shown = entry.values if everything else entry.values.head(SHOWN)
        lines.append("  values per image:")
        lines += [
            f"    {row['prompt_id']}  {row['image']}  "
            + (f"{row['value']:.4g}" if row["value"] == row["value"] else row["state"])
            for row in shown.to_dict("records")
        ]
        if len(shown) < len(entry.values):
            lines.append(f"    ... and {len(entry.values) - len(shown)} more (--all)")
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Reduce a text to one line that is safe to print on a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
