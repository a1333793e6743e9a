"""``python -m textedit_workshop.rehearsal``: does the full tier run here, before anything is fetched?"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from textedit_bench import stopping
from textedit_bench.data.card import read_card
from textedit_bench.errors import UserError
from textedit_workshop.rehearsal.rehearse import Rehearsal, sizes_of, write_all
from textedit_workshop.rehearsal.report import Limits, line, table, verdict, write_report
from textedit_workshop.rehearsal.stages import Measured


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a rehearsal.

    Returns:
        0 if every stage worked within the limits, 1 if not, 2 for bad input; 130, 143 or 129 if a signal ended it.
    """
    options = _parser().parse_args(arguments)
    names = tuple(name for name in options.methods.split(",") if name)
    datasets = tuple(name for name in options.datasets.split(",") if name)
    given = options.folder is not None
    folder = Path(options.folder or tempfile.mkdtemp(prefix="textedit-rehearsal-")).absolute()
    rehearsal = Rehearsal(folder, datasets, names)
    try:
        with stopping.stoppable():
            if options.write:
                card = read_card(options.write)
                write_all(card, sizes_of(card), folder, rehearsal.parts())
                return 0
            print(f"{table([])}", end="", flush=True)
            measured = rehearsal.run(lambda stage: print(line(stage), flush=True))
            print(f"\n{verdict(measured, Limits())[0]}", end="")
            print(f"written: {write_report(measured, Limits(), Path(options.report))}")
            return _end(measured, folder, keep=given)
    except UserError as error:
        print(f"rehearsal: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"rehearsal: {stopping.line()}; what was written lies in {folder}", file=sys.stderr)
        return stopping.exit_code()


def _end(measured: list[Measured], folder: Path, *, keep: bool) -> int:
    """Clean up what was made for this run alone; logs of a failed stage stay."""
    good = verdict(measured, Limits())[1]
    if not keep:
        for path in folder.iterdir():
            if good or path.name != "logs":
                shutil.rmtree(path, ignore_errors=True)
        if good:
            folder.rmdir()
    return 0 if good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m textedit_workshop.rehearsal", description=__doc__)
    parser.add_argument("--datasets", default="", help="names or cards, separated by commas; all where not given")
    parser.add_argument("--methods", default="", help="names, separated by commas; all that take part where not given")
    parser.add_argument("--folder", help="where the files go, which stay there; a temporary folder where not given")
    parser.add_argument("--report", default="results/rehearsal", help="where the table goes")
    parser.add_argument("--write", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
