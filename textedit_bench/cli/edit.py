"""``textedit-bench edit``: one photo, one prompt, one picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textedit_bench.cli.options import Device, OneDataset, OneMethod, Settings, Tier, read_settings, split_numbers

if TYPE_CHECKING:
    from textedit_bench.domain import Domain, Photos
    from textedit_bench.prompt import Prompt

GRID_STRENGTHS = (0.5, 1.0, 1.5, 2.0)


def edit(
    photo: Annotated[str, typer.Argument(metavar="PHOTO", help="Picture file, or an image id of the data set.")],
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="What is wanted, in words, or a prompt id.")],
    method: OneMethod,
    dataset: OneDataset,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Picture to write.")] = Path(
        "edit.png"
    ),
    strength: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Strength of the edit; several with --grid.")
    ] = None,
    grid: Annotated[bool, typer.Option("--grid", help="Write photo, inversion and edits side by side.")] = False,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Trained weights of your own instead of the committed ones.")
    ] = None,
    tier: Tier = "auto",
    settings: Settings = None,
    device: Device = "cpu",
) -> None:
    """Edit one photo; it should look like the data set's images, framing included.

    \b
    Examples:
      textedit-bench edit photo.png "blond hair" --method METHOD --dataset DATASET -o out.png
      textedit-bench edit evaluation-00003 glasses -m METHOD -d DATASET --grid
      textedit-bench edit photo.png glasses -m METHOD -d DATASET --grid --strength 0.5,1,2
    """
    from textedit_bench.data.destination import check_destination
    from textedit_bench.data.photo import FORMATS, write_grid
    from textedit_bench.errors import UserError
    from textedit_bench.registry import load_editor, method_info, new_editor

    info = method_info(method)
    if "edit" not in info.tasks:
        raise UserError(f"method {method!r} does not edit; its tasks: {', '.join(info.tasks)}")
    strengths = _strengths(strength, info.strength_default, grid)
    check_destination(output, FORMATS)

    import torch

    from textedit_bench.domain import load_domain

    domain = load_domain(dataset, tier, device)
    photos = _photos(domain, photo)
    wanted = _prompt(domain, prompt)
    values = read_settings(settings)
    if weights is not None:
        if not weights.is_file():
            raise UserError(f"--weights {weights}: there is no such file")
        editor = new_editor(method, domain, **values)
        editor.load(weights)
    else:
        editor = load_editor(method, domain, **values)
        path = editor.weights_path()
        if info.trains == "per-dataset" and (path is None or not path.is_file()):
            raise UserError(
                f"method {method!r} has no trained weights for {domain.name}, tier {domain.tier}; run train"
            )
    latents = domain.invert(photos)
    edits = editor.edit_sweep(latents, wanted, strengths)
    with torch.no_grad():
        images = [e if isinstance(e, torch.Tensor) else domain.generator.synthesize(e) for e in edits]
        before = [photos.images, domain.generator.synthesize(latents)] if grid else []
    write_grid(torch.cat([*before, *images]), output, columns=len(before) + len(images))
    typer.echo(output)


def _strengths(text: str | None, default: float, grid: bool) -> tuple[float, ...]:
    from textedit_bench.errors import UserError

    strengths = split_numbers("--strength", text) or (GRID_STRENGTHS if grid else (default,))
    if len(strengths) > 1 and not grid:
        raise UserError(f"--strength: {len(strengths)} values were given; several need --grid")
    for value in strengths:
        if not 0 <= value <= 100:
            raise UserError(f"--strength: {value} is out of range; valid: 0 to 100")
    return strengths


def _photos(domain: Domain, photo: str) -> Photos:
    """The user's file, or where there is none, the data set's image of that id (``evaluation-00003``)."""
    from textedit_bench.data.photo import read_photo
    from textedit_bench.domain import Photos

    split, _, number = photo.rpartition("-")
    if not Path(photo).exists() and split in domain.tier_card.splits and number.isdecimal():
        return domain.photos(split, 1, int(number))
    return Photos(read_photo(photo, domain.resolution).to(domain.device), (Path(photo).stem,))


def _prompt(domain: Domain, text: str) -> Prompt:
    """The card's prompt of that id or wording, or the bare words."""
    from textedit_bench.bench.prompts import plan_prompts
    from textedit_bench.errors import UserError

    if not text.strip():
        ids = ", ".join(prompt.id for prompt in domain.tier_card.prompts)
        raise UserError(f"prompt: it is empty; valid: words, or an id of {domain.name}: {ids}")
    return plan_prompts(domain.card, domain.tier, [text])[0].prompt.without_truth
