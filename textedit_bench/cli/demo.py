"""``textedit-bench demo``: edit photos in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from textedit_bench.cli.options import FACES, Device, Tier

if TYPE_CHECKING:
    from textedit_bench.demo.desk import Desk


def demo(
    dataset: Annotated[
        str | None, typer.Option("--dataset", "-d", metavar="NAME|CARD", help="Data set to open with.")
    ] = None,
    tier: Tier = "auto",
    device: Device = "cpu",
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="0.0.0.0 lets everyone in your network in.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="N", help="Default: the first free from 7860.")
    ] = None,
) -> None:
    """Open a page to edit photos by text: any text, several methods side by side, every strength, the judges' figures.

    Nothing is sent elsewhere; uploads lie in a temporary folder until they are read. Ctrl-C ends it.

    \b
    Examples:
      textedit-bench demo
      textedit-bench demo --dataset DATASET --tier full --device cuda --port 8000
    """
    import os
    import threading
    from functools import lru_cache
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from textedit_bench.registry import dataset_names, load_dataset, resolve_tier

    names = [*([dataset] if dataset else []), *sorted(dataset_names(), key=FACES.__ne__)]
    resolve_tier(load_dataset(names[0]), tier)
    if device != "cpu":  # torch takes seconds to import, so that the page comes first
        from textedit_bench.devices import checked_device

        checked_device(device)

    @lru_cache(2)  # data sets whose networks are held
    def desk(name: str) -> Desk:
        from textedit_bench.demo.desk import Desk
        from textedit_bench.domain import load_domain

        return Desk(load_domain(name, tier, device), name)

    with TemporaryDirectory(prefix="textedit-bench-demo-") as folder:
        quiet = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}
        os.environ |= {**quiet, "GRADIO_TEMP_DIR": folder}
        from textedit_bench.demo.app import start

        page = start(desk, list(dict.fromkeys(names)), Path(folder), host, port)
        try:
            typer.echo(f"{page.local_url} (Ctrl-C ends it)")
            import textedit_bench.demo.desk  # noqa: F401 - torch, while the browser opens the page

            threading.Event().wait()
        finally:
            page.close(verbose=False)
