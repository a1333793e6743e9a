"""``textedit-bench generate``: generate several pictures from one text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from textedit_bench.cli.edit import Weights, require_task
from textedit_bench.cli.options import Device, Json, OneDataset, OneMethod, Settings, Tier, read_settings
from textedit_bench.cli.output import print_json

MOST = 1024
SHEET = "sheet.png"


def generate(
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What is wanted, in words, or a prompt id.")],
    method: OneMethod,
    dataset: OneDataset,
    n: Annotated[int, typer.Option("-n", metavar="N", help="Number of pictures.")] = 8,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Random seed.")] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the pictures and their contact sheet.")
    ] = Path("generated"),
    weights: Weights = None,
    tier: Tier = "auto",
    settings: Settings = None,
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Generate different pictures from one text, and a contact sheet; the same seed gives the same pictures.

    In the folder of an earlier run, all of its pictures are replaced.

    \b
    Examples:
      textedit-bench generate "a face with red hair and glasses" --method GENERATOR --dataset DATASET -n 8
      textedit-bench generate glasses -m GENERATOR -d DATASET -n 4 --seed 1 -o glasses
    """
    from textedit_bench.data.destination import check_folder
    from textedit_bench.errors import UserError
    from textedit_bench.ranges import MACHINE, check_whole
    from textedit_bench.registry import method_info

    info = method_info(method)
    require_task(info, "generate")
    if not 1 <= n <= MOST:
        raise UserError(f"-n: {n} is out of range; valid: 1 to {MOST}")
    check_whole("--seed", seed, low=0, below=MACHINE)
    check_folder(output)
    _refuse_foreign(output, n)

    from PIL import Image

    from textedit_bench.data.pixels import save_picture
    from textedit_bench.domain import load_domain
    from textedit_bench.ready import check_served, pictures_of, ready_editor, resolve_prompt
    from textedit_bench.report.sheet import draw_contact_sheet

    domain = load_domain(dataset, tier, device)
    wanted = resolve_prompt(domain, prompt)
    editor = ready_editor(method, domain, weights, read_settings(settings))
    check_served(editor, wanted)
    pictures = list(pictures_of(editor, editor.generate(wanted, n, seed)))
    output.mkdir(parents=True, exist_ok=True)
    sheet, files = output / SHEET, [_file(output, i) for i in range(n)]
    _remove_left(output, n)
    for picture, file in zip(pictures, files, strict=True):
        save_picture(Image.fromarray(picture), file)
    title = f"{info.title} on {domain.name}, tier {domain.tier}: {wanted.words}"
    save_picture(draw_contact_sheet(title, pictures), sheet)
    if json:
        found = {"method": method, "dataset": domain.name, "tier": domain.tier, "prompt": wanted.words, "seed": seed}
        print_json({**found, "sheet": sheet, "images": files})
    else:
        typer.echo(sheet)


def _file(folder: Path, number: int) -> Path:
    return folder / f"{number:03d}.png"


def _refuse_foreign(folder: Path, n: int) -> None:
    """Refuse to replace pictures that no earlier run has written: there is no contact sheet of them.

    Raises:
        UserError: there are such pictures.
    """
    from textedit_bench.errors import UserError

    there = [file for file in (_file(folder, i) for i in range(n)) if file.exists()]
    if there and not (folder / SHEET).is_file():
        raise UserError(
            f"output {folder}: {there[0].name} exists already and was not written by an earlier run "
            f"(there is no {SHEET}); valid: another folder"
        )


def _remove_left(folder: Path, n: int) -> None:
    """Remove the remaining pictures of an earlier, longer run, which the new sheet would not show.

    Only if a contact sheet proves that there was such a run, and only pictures numbered consecutively after the
    overwritten ones: other numbered pictures do not belong to it.
    """
    if not ((folder / SHEET).is_file() and all(_file(folder, i).is_file() for i in range(n))):
        return
    for number in range(n, MOST):
        if not _file(folder, number).is_file():
            return
        _file(folder, number).unlink()
