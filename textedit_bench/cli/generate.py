"""``textedit-bench generate``: several pictures of one text."""

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
    n: Annotated[int, typer.Option("-n", metavar="N", help="How many pictures.")] = 8,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the draws.")] = 0,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder for the pictures and their contact sheet.")
    ] = Path("generated"),
    weights: Weights = None,
    tier: Tier = "auto",
    settings: Settings = None,
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Generate different pictures of one text, and a contact sheet of them; the same seed gives the same pictures.

    \b
    Examples:
      textedit-bench generate "a face with red hair and glasses" --method GENERATOR --dataset DATASET -n 8
      textedit-bench generate glasses -m GENERATOR -d DATASET -n 4 --seed 1 -o glasses
    """
    from textedit_bench.data.destination import check_folder
    from textedit_bench.data.photo import write_grid
    from textedit_bench.errors import UserError
    from textedit_bench.registry import method_info

    info = method_info(method)
    require_task(info, "generate")
    if not 1 <= n <= MOST:
        raise UserError(f"-n: {n} is out of range; valid: 1 to {MOST}")
    if seed < 0:
        raise UserError(f"--seed: {seed} is out of range; valid: whole numbers from 0")
    check_folder(output)

    import torch

    from textedit_bench.cli.ready import ready_editor, resolve_prompt
    from textedit_bench.domain import load_domain
    from textedit_bench.report.strip import draw_contact_sheet

    domain = load_domain(dataset, tier, device)
    wanted = resolve_prompt(domain, prompt)
    editor = ready_editor(method, domain, weights, read_settings(settings))
    latents = editor.generate(wanted, n, seed)
    with torch.no_grad():
        images = domain.generator.synthesize(latents)
    output.mkdir(parents=True, exist_ok=True)
    files = [output / f"{i:03d}.png" for i in range(n)]
    for image, file in zip(images, files, strict=True):
        write_grid(image[None], file)
    sheet = output / SHEET
    draw_contact_sheet(f"{info.title} on {domain.name}, tier {domain.tier}: {wanted.words}", images).save(sheet)
    if json:
        found = {"method": method, "dataset": domain.name, "tier": domain.tier, "prompt": wanted.words, "seed": seed}
        print_json({**found, "sheet": sheet, "images": files})
    else:
        typer.echo(sheet)
