"""The first stage of a cell: photos' codes -> editor -> edited codes -> generator -> stored pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from textedit_bench.bench.cell import Cell
from textedit_bench.bench.environment import environment
from textedit_bench.bench.inputs import BATCH, Inputs
from textedit_bench.bench.measure import Meter
from textedit_bench.bench.pictures import Pixels, strength_name, to_uint8, write_pictures
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.store import ResultFolder
from textedit_bench.editor import Editor, Latents
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

EDITS = "edits.safetensors"
PICTURES = "images.zip"


@dataclass(frozen=True)
class Edits:
    """All edits of a cell.

    Attributes:
        pixels: 8-bit, one [N, H, W, 3] per strength.
        codes: edited codes, one per strength, in ``space``; None for a method that returns pictures.
        space: ``w+``, ``s`` or ``image``.
    """

    pixels: list[Pixels]
    codes: list[Tensor] | None
    space: str


def infer(domain: Domain, editor: Editor, inputs: Inputs, cell: Cell, meter: Meter) -> Edits:
    """Edit every image at every strength and synthesise the edits.

    The generator, its constant noise and the batch size are the same for every method. Torch's global random state is
    seeded from the cell and given back afterwards.

    Raises:
        ValueError: the editor returned the wrong number, shape or kind of edits, or numbers that are not finite.
    """
    pixels: list[list[Pixels]] = [[] for _ in cell.strengths]
    codes: list[list[Tensor]] = [[] for _ in cell.strengths]
    spaces: set[str] = set()
    devices = [domain.device] if domain.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), meter.timed("prepare"):
        torch.manual_seed(seed_of(cell=cell.digest, seed=cell.seed))
        editor.prepare(cell.prompt.without_truth)
    for start in range(0, len(inputs.ids), BATCH):
        batch = inputs.latents[start : start + BATCH]
        source = inputs.inversions[start : start + BATCH]
        with torch.random.fork_rng(devices=devices), meter.timed("edit"):
            torch.manual_seed(seed_of(cell=cell.digest, start=start, seed=cell.seed))
            edits = editor.edit_sweep(batch, cell.prompt.without_truth, cell.strengths)
        if len(edits) != len(cell.strengths):
            raise ValueError(f"{cell.method} returned {len(edits)} edits for {len(cell.strengths)} strengths")
        with meter.timed("synthesise"):
            pictures = _synthesise(domain, batch, source, edits)
        for position, (edit, picture) in enumerate(zip(edits, pictures, strict=True)):
            pixels[position].append(picture)
            if isinstance(edit, Latents):
                codes[position].append(edit.codes.detach().float().cpu())
                spaces.add(edit.space)
            else:
                spaces.add("image")
    # Strength 0 may give back the given W+ codes whatever the method's own space is.
    space = next(kind for kind in ("image", "s", "w+") if kind in spaces)
    joined = None
    if space != "image":
        joined = [torch.cat([_in_space(part, space, domain) for part in parts]) for parts in codes]
    return Edits([np.concatenate(parts) for parts in pixels], joined, space)


@torch.no_grad()
def _in_space(codes: Tensor, space: str, domain: Domain) -> Tensor:
    """Codes as they are, or W+ codes as the styles they stand for."""
    if space == "s" and codes.ndim == 3:
        styles: Tensor = domain.generator.to_style(codes.to(domain.device)).float().cpu()
        return styles
    return codes


@torch.no_grad()
def _synthesise(domain: Domain, batch: Latents, source: Pixels, edits: Sequence[Latents | Tensor]) -> list[Pixels]:
    """Pictures of edits; codes met before (strength 0, a control) are not synthesised twice."""
    known: list[tuple[str, Tensor, Pixels]] = [(batch.space, batch.codes, source)]
    pictures = []
    for edit in edits:
        if not isinstance(edit, Latents):
            pictures.append(_checked(to_uint8(edit.detach()), source))
            continue
        if len(edit) != len(batch) or not torch.isfinite(edit.codes).all():
            raise ValueError(f"an edit holds {len(edit)} codes for {len(batch)} images, or numbers that are not finite")
        same = (p for space, code, p in known if space == edit.space and torch.equal(code, edit.codes))
        picture = next(same, None)
        if picture is None:
            make = domain.generator.synthesize if edit.space == "w+" else domain.generator.synthesize_style
            picture = _checked(to_uint8(make(edit.codes, noise="const")), source)
            known.append((edit.space, edit.codes, picture))
        pictures.append(picture)
    return pictures


def _checked(picture: Pixels, source: Pixels) -> Pixels:
    if picture.shape != source.shape:
        raise ValueError(f"edited pictures have shape {picture.shape}, the inversions {source.shape}")
    return picture


def publish_edits(
    folder: ResultFolder,
    cell: Cell,
    inputs: Inputs,
    edits: Edits,
    meter: Meter,
    command: str,
    request: BenchRequest | None = None,
) -> None:
    """Store edited codes and pictures and vouch for them in the manifest, with what was asked where a bench was."""
    groups = {strength_name(s): p for s, p in zip(cell.strengths, edits.pixels, strict=True)}
    files = {PICTURES: lambda path: write_pictures(path, groups, inputs.ids)}
    if edits.codes is not None:
        stacked = torch.stack(edits.codes).contiguous()
        files[EDITS] = lambda path: save_file({"codes": stacked}, path)
    facts = {
        "ids": list(inputs.ids),
        "space": edits.space,
        "threads": torch.get_num_threads(),
        "device": str(inputs.latents.codes.device),
        "cost": meter.rows(len(inputs.ids) * len(cell.strengths)),
        "command": command,
        **({} if request is None else {"request": request.to_json()}),
        "environment": environment(),
        "inputs": inputs.folder.digest,
    }
    folder.publish("infer", files, facts, listing=cell.listing())


def step_lengths(
    folder: ResultFolder, cell: Cell, inputs: Inputs, domain: Domain
) -> tuple[str, dict[str, list[float]]]:
    """Measure the steps of a cell's stored edits at its default strength.

    The step is taken from strength 0 of the same cell where there is one, so that a method with an inversion of its own
    is measured by its edit alone.

    Returns:
        The space of the steps, and per image one length per W+ row or style vector.

    Raises:
        FileNotFoundError: the cell has no stored codes.
    """
    codes = load_file(folder.file(EDITS))["codes"]
    space = "w+" if codes.ndim == 4 else "s"
    before = codes[cell.strengths.index(0.0)] if 0.0 in cell.strengths else inputs.latents.codes.cpu()
    before = _in_space(before, space, domain)
    step = (codes[cell.strengths.index(cell.default_strength)] - before).double()
    if space == "w+":
        norms = step.norm(dim=-1)
    else:
        widths = [layer.channels for layer in domain.generator.style_layout]
        norms = torch.stack([part.norm(dim=-1) for part in step.split(widths, dim=-1)], dim=-1)
    return space, dict(zip(inputs.ids, norms.tolist(), strict=True))
