"""``textedit-bench check``: run the conformance checks on a method."""

from __future__ import annotations

from typing import Annotated

import typer

from textedit_bench.cli.cells import Datasets
from textedit_bench.cli.options import Json, Settings, read_settings, split_list
from textedit_bench.cli.output import print_json


def check_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Method name; see: methods.")],
    dataset: Datasets = None,
    full_size: Annotated[
        bool, typer.Option("--full-size", help="Also use the shapes of the published networks; takes minutes.")
    ] = False,
    settings: Settings = None,
    json: Json = False,
) -> None:
    """Check a method against the rules of the benchmark; exit code 1 if one is violated.

    The method runs on small data sets of several shapes with random weights; one that trains is trained there with the
    settings of its card's trial, a training of seconds. Each line names a rule; a failure adds the expected result and
    the reason for the rule, --json gives them for every rule. The method must be installed (pip install -e FOLDER).
    --dataset adds installed data sets, in their mini tiers; without it, only the toy ones are used.

    \b
    Examples:
      textedit-bench check METHOD
      textedit-bench check METHOD --dataset DATASET
    """
    from textedit_bench.registry import load_dataset, load_method

    names = split_list("--dataset", dataset)
    for each in names:
        load_dataset(each)
    method = load_method(name)

    from textedit_bench.testing import FULL_SIZE, TOYS, Result, check_editor

    def show(result: Result) -> None:
        typer.echo(result.text())

    chosen = read_settings(settings)
    method.info.check_settings(chosen, training=True)
    results = check_editor(
        method,
        datasets=names,
        geometries=(*TOYS, *(FULL_SIZE if full_size else ())),
        settings=chosen,
        report=None if json else show,
        raises=False,
    )
    failed = sum(result.state == "failed" for result in results)
    if json:
        print_json([result.to_json() for result in results])
    else:
        passed = sum(result.state == "passed" for result in results)
        rest = len(results) - passed - failed
        typer.echo(f"{name}: {passed} passed, {failed} failed, {rest} not applicable")
    raise typer.Exit(1 if failed else 0)
