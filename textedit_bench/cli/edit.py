"""``textedit-bench edit``: edit one photo by one prompt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textedit_bench.cli.options import Device, Json, OneDataset, OneMethod, Settings, Tier, read_settings, split_numbers
from textedit_bench.cli.output import print_json

if TYPE_CHECKING:
    from textedit_bench.domain import Domain, Photos
    from textedit_bench.info import MethodInfo

GRID_STRENGTHS = (0.5, 1.0, 1.5, 2.0)

Weights = Annotated[
    Path | None, typer.Option("--weights", metavar="FILE", help="Your own weights instead of the committed ones.")
]


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
    grid: Annotated[
        bool, typer.Option("--grid", help="Write a labelled row: photo, inversion, one edit per strength.")
    ] = False,
    face: Annotated[
        int | None, typer.Option(metavar="N", help="Which face, if the photo shows several; 0 is the largest.")
    ] = None,
    weights: Weights = None,
    tier: Tier = "auto",
    settings: Settings = None,
    device: Device = "cpu",
    json: Json = False,
) -> None:
    """Edit one photo. A face is aligned like the data set's photos; other photos are cropped to their central square.

    \b
    Examples:
      textedit-bench edit photo.png "blond hair" --method METHOD --dataset DATASET -o out.png
      textedit-bench edit evaluation-00003 glasses -m METHOD -d DATASET --strength 1.5
      textedit-bench edit photo.png glasses -m METHOD -d DATASET --grid --strength 0.5,1,2
    """
    from textedit_bench.data.destination import check_destination
    from textedit_bench.data.photo import write_grid
    from textedit_bench.data.pixels import FORMATS, save_picture
    from textedit_bench.registry import method_info

    info = method_info(method)
    require_task(info, "edit")
    strengths = _strengths(strength, info.strength_default, grid)
    check_destination(output, FORMATS, inputs=(photo, weights, dataset))

    import torch

    from textedit_bench.domain import load_domain
    from textedit_bench.ready import check_served, ready_editor, resolve_prompt

    domain = load_domain(dataset, tier, device)
    photos = _photos(domain, photo, face)
    wanted = resolve_prompt(domain, prompt)
    editor = ready_editor(method, domain, weights, read_settings(settings))
    check_served(editor, wanted)
    latents = domain.invert(photos)
    edits = editor.edit_sweep(latents, wanted, strengths)
    with torch.no_grad():
        images = [e if isinstance(e, torch.Tensor) else domain.generator.synthesize(e) for e in edits]
        inversion = domain.generator.synthesize(latents) if grid else None
    if inversion is None:
        write_grid(images[0], output)
    else:
        from textedit_bench.report.sheet import draw_row

        labels = ["photo", "inversion", *(f"strength {value:g}" for value in strengths)]
        shown = torch.cat([photos.images, inversion, *images])
        title = f"{info.title} on {domain.name}, tier {domain.tier}: {wanted.words}"
        save_picture(draw_row(title, photo, labels, shown), output)
    if json:
        found = {"output": output, "method": method, "dataset": domain.name, "tier": domain.tier, "photo": photo}
        print_json({**found, "prompt": wanted.words, "strengths": list(strengths)})
    else:
        typer.echo(output)


def require_task(info: MethodInfo, task: str) -> None:
    """Check that a method supports the task.

    Raises:
        UserError: it does not; names the methods that do.
    """
    from textedit_bench.errors import UserError
    from textedit_bench.registry import list_methods

    if task not in info.tasks:
        able = ", ".join(other.name for other in list_methods() if task in other.tasks and not other.control)
        raise UserError(f"method {info.name!r} does not {task}; its tasks: {', '.join(info.tasks)}. Valid: {able}")


def _strengths(text: str | None, default: float, grid: bool) -> tuple[float, ...]:
    from textedit_bench.errors import UserError

    strengths = split_numbers("--strength", text) or (GRID_STRENGTHS if grid else (default,))
    if len(strengths) > 1 and not grid:
        raise UserError(f"--strength: {len(strengths)} values were given; several need --grid")
    for value in strengths:
        if not 0 <= value <= 100:
            raise UserError(f"--strength: {value} is out of range; valid: 0 to 100")
    return strengths


def _photos(domain: Domain, photo: str, face: int | None) -> Photos:
    """Load the user's file, or if it does not exist, the data set's image of that id (``evaluation-00003``)."""
    from textedit_bench.own_photo import own_photo
    from textedit_bench.photos import stored_photo

    stored = None if Path(photo).exists() else stored_photo(domain, photo)
    return stored or own_photo(domain, photo, face=face)
