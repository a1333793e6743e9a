"""``textedit-bench study``: ask people which edit is better, and analyse what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textedit_bench.cli.options import OneDataset, Results, new_app, split_list

study = new_app(help="Ask people which edit is better: make the page of a study, analyse its answers.")


def make(
    dataset: OneDataset,
    tier: Annotated[str, typer.Option("--tier", "-t", metavar="TIER", help="mini or full.")] = "mini",
    method: Annotated[str | None, typer.Option("--method", "-m", metavar="NAMES", help="All if not given.")] = None,
    best_of: Annotated[int, typer.Option(min=2, max=6, metavar="K", help="Pictures to choose among, 2 to 6.")] = 2,
    comparisons: Annotated[int, typer.Option("--comparisons", "-n", min=1, metavar="N", help="Of a participant.")] = 16,
    checks: Annotated[int, typer.Option(min=0, metavar="N", help="Attention checks per question.")] = 4,
    forms: Annotated[int, typer.Option(min=1, metavar="N", help="Sets of comparisons; a person gets one.")] = 1,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of what is compared.")] = 0,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="The page, elsewhere.")] = None,
    results: Results = Path("results"),
) -> None:
    """Write a study of stored edits: one HTML page, and its key, which says what every picture is, beside it.

    The page asks of every comparison which picture fits the text, and which keeps the person (the scene, the object).
    It names no method, needs no network, works on a phone, and saves the answers as a file. Keep the key to yourself.

    \b
    Examples:
      textedit-bench study make --dataset DATASET
      textedit-bench study make -d DATASET --best-of 4 --comparisons 12 --forms 5 -o study.html
    """
    from textedit_bench.registry import load_dataset, method_info

    methods = tuple(method_info(name).name for name in split_list("--method", method))
    card = load_dataset(dataset)
    from textedit_bench.bench.store import Store
    from textedit_bench.study.design import Wanted
    from textedit_bench.study.page import write_study

    wanted = Wanted(best_of, comparisons, checks, forms, seed, methods)
    page, key = write_study(Store(results), tier, card, wanted, output)
    checked = sum(key.trials[name].right is not None for name in key.forms[0])
    typer.echo(f"{page}: for the participants; {len(key.forms[0])} questions, {checked} of them attention checks")
    typer.echo(f"{page.with_suffix('.key.json')}: for you; textedit-bench study analyse needs it")


def analyse(
    key: Annotated[Path, typer.Argument(metavar="KEY", help="The study's key.")],
    answers: Annotated[list[Path], typer.Argument(metavar="ANSWERS...", help="Files that participants saved.")],
    bar: Annotated[float, typer.Option(min=0, max=1, metavar="SHARE", help="Checks that must be right.")] = 0.8,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Also write study.md and study.csv there.")
    ] = None,
) -> None:
    """Say what people prefer, how far they agree, and which automatic metrics predict them.

    \b
    Examples:
      textedit-bench study analyse study.key.json answers-*.json
      textedit-bench study analyse study.key.json answers/*.json --output analysis
    """
    from textedit_bench.data.destination import check_folder
    from textedit_bench.documents import read_json_document
    from textedit_bench.files import write_text
    from textedit_bench.report.formats import frame_csv, render_markdown, render_plain_page
    from textedit_bench.study.analysis import attentive, results_frame, results_page
    from textedit_bench.study.files import LARGEST, Key, read_answers

    if output is not None:
        check_folder(output)
    known = read_json_document(key, Key, "key", LARGEST)
    kept, left_out = attentive(known, read_answers(answers, known), bar)
    frame = results_frame(known, kept)
    page = results_page(known, frame, len(kept), left_out)
    typer.echo(render_plain_page(page), nl=False)
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        write_text(output / "study.md", render_markdown(page))
        write_text(output / "study.csv", frame_csv(frame))
