"""Run the notebook of the tutorial and store its outputs: ``python -m textedit_workshop.pages.notebook``."""

from __future__ import annotations

import argparse
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from textedit_workshop import ROOT

NOTEBOOK = ROOT / "docs" / "pages" / "own_method.ipynb"
TIMEOUT = 600
"""Seconds of one cell."""


def executed(path: Path = NOTEBOOK) -> NotebookNode:
    """Run the notebook and return it with fresh outputs; the file is not changed.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=TIMEOUT, kernel_name="python3", record_timing=False).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            # Warnings name folders of this machine, and a picture is stored once, the smaller way.
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                if "image/jpeg" in output.get("data", {}):
                    output["data"].pop("image/png", None)
    return notebook


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    nbformat.write(executed(), NOTEBOOK)
