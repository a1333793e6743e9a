"""``textedit-bench demo``: edit photos in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from textedit_bench.cli.options import Device, Tier

LOOPBACK = "127.0.0.1"


def demo(
    dataset: Annotated[
        str | None, typer.Option("--dataset", "-d", metavar="NAME|CARD", help="Data set to open with.")
    ] = None,
    tier: Tier = "auto",
    device: Device = "cpu",
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen at; 0.0.0.0 lets everyone in your network in.")
    ] = LOOPBACK,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="N", help="Port; without it the first free one from 7860.")
    ] = None,
) -> None:
    """Open a page to edit photos by text: any text, several methods side by side, every strength, the judges' figures.

    Nothing is sent elsewhere; uploads lie in a temporary folder until they are read. Ctrl-C ends it.

    \b
    Examples:
      textedit-bench demo
      textedit-bench demo --dataset DATASET --tier full --device cuda --port 8000
    """
    import tempfile
    import threading
    from pathlib import Path

    from textedit_bench.devices import checked_device
    from textedit_bench.extras import needs_extra
    from textedit_bench.registry import dataset_names, load_dataset

    with needs_extra("demo", "the demo"):
        import gradio  # noqa: F401 - the error names the extra
    from textedit_bench.cli.examples import FACES
    from textedit_bench.demo.app import start
    from textedit_bench.demo.desk import Desks

    first = dataset or FACES
    if dataset is not None:
        load_dataset(dataset)
    checked_device(device)
    names = [first, *(name for name in dataset_names() if name != first)]
    with tempfile.TemporaryDirectory(prefix="textedit-bench-demo-") as folder:
        page = start(Desks(tier, device), names, folder=Path(folder), host=host, port=port)
        try:
            typer.echo(f"{page.local_url} (Ctrl-C ends it)")
            threading.Event().wait()
        finally:
            page.close(verbose=False)
