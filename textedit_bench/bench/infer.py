"""Stage one of a cell: codes of photos -> editor -> edited codes -> generator -> stored pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from textedit_bench.bench.cell import Cell, read_manifest
from textedit_bench.bench.inputs import INVERSION, PHOTO, Inputs, InputShard
from textedit_bench.bench.kept import EDITS, EVERYTHING, CellPictures, Kept, PicturesGoneError
from textedit_bench.bench.machine import Meter, environment
from textedit_bench.bench.pictures import Pixels, to_images, to_uint8
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.shards import pass_size
from textedit_bench.bench.store import ResultFolder, Store
from textedit_bench.controls.cards import copied, shown
from textedit_bench.editor import Editor, Latents, Space
from textedit_bench.errors import NotApplicableError
from textedit_bench.models.storage import save_tensors
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.metrics.truth import GroundTruth


@dataclass(frozen=True)
class Edits:
    """All edits of a shard.

    Attributes:
        pixels: 8-bit, one [n, H, W, 3] per strength.
        codes: edited codes, one per strength, in ``space``; None for a method that returns pictures.
        space: ``w+``, ``s`` or ``image``.
    """

    pixels: list[Pixels]
    codes: list[Tensor] | None
    space: str


def infer(domain: Domain, editor: Editor, shard: InputShard, cell: Cell, meter: Meter) -> Edits:
    """Edit every image of a shard at every strength and synthesise the edits.

    The generator, its constant noise and the batch size are the same for every method. Torch's global random state is
    seeded from the cell and the position of the batch, and restored afterwards.

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
    for batch in shard.passes(pass_size(domain.resolution)):
        with torch.random.fork_rng(devices=devices), meter.timed("edit"):
            torch.manual_seed(seed_of(cell=cell.digest, start=batch.start, seed=cell.seed))
            edits = editor.edit_sweep(batch.latents, cell.prompt.without_truth, cell.strengths)
        if len(edits) != len(cell.strengths):
            raise ValueError(f"{cell.method} returned {len(edits)} edits for {len(cell.strengths)} strengths")
        with meter.timed("synthesise"):
            pictures = _synthesise(domain, batch.latents, batch.inversions, edits)
        for position, (edit, picture) in enumerate(zip(edits, pictures, strict=True)):
            pixels[position].append(picture)
            if isinstance(edit, Latents):
                codes[position].append(edit.codes.detach().float().cpu())
                spaces.add(edit.space)
            else:
                spaces.add("image")
    # At strength 0 an editor may return the given W+ codes, whatever its own space is.
    space = next(kind for kind in ("image", "s", "w+") if kind in spaces)
    joined = None
    if space != "image":
        joined = [torch.cat([_in_space(part, space, domain) for part in parts]) for parts in codes]
    return Edits([np.concatenate(parts) for parts in pixels], joined, space)


@torch.no_grad()
def _in_space(codes: Tensor, space: str, domain: Domain) -> Tensor:
    """Return codes unchanged, or convert W+ codes to styles."""
    if space == "s" and codes.ndim == 3:
        styles: Tensor = domain.generator.to_style(codes.to(domain.device)).float().cpu()
        return styles
    return codes


@torch.no_grad()
def _synthesise(domain: Domain, batch: Latents, source: Pixels, edits: Sequence[Latents | Tensor]) -> list[Pixels]:
    """Synthesise the pictures of edits; repeated codes (strength 0, a control) are synthesised once."""
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
            picture = _checked(to_uint8(domain.generator.synthesize(edit, noise="const")), source)
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
    ids: Sequence[str],
    edits: Edits,
    meter: Meter,
    request: BenchRequest | None = None,
    *,
    command: str = "",
    kept: Kept = EVERYTHING,
) -> None:
    """Store edited codes and pictures with a manifest that lists their checksums and, for a bench, the request.

    Args:
        folder: of the cell, or of one of its shards.
        cell: the cell.
        inputs: its inputs.
        ids: images of the edits.
        edits: of these images.
        meter: their cost.
        request: the bench.
        command: the command line, for the record.
        kept: which pictures are stored.
    """
    stored, files = kept.files(cell.strengths, inputs.ids, ids, edits.pixels)
    if edits.codes is not None:
        stacked = torch.stack(edits.codes).contiguous()
        files[EDITS] = lambda path: save_tensors({"codes": stacked}, path)
    facts = {
        "ids": list(ids),
        "space": edits.space,
        "threads": torch.get_num_threads(),
        "device": str(inputs.device),
        "cost": meter.rows(len(ids) * len(cell.strengths)),
        "command": command,
        **stored,
        **({} if request is None else {"request": request.to_json()}),
        "environment": environment(),
        "inputs": inputs.folder.digest,
    }
    folder.publish("infer", files, facts, listing=cell.listing())


def step_lengths(
    folder: ResultFolder, cell: Cell, shard: InputShard, domain: Domain
) -> tuple[Space, dict[str, list[float]]]:
    """Measure the steps of a cell's stored edits of some images at its default strength.

    The step is measured from strength 0 of the same cell if it has one, so that for a method with its own inversion
    only the edit is measured.

    Returns:
        The space of the steps, and per image one length per W+ row or style vector.

    Raises:
        FileNotFoundError: the cell has no stored codes.
    """
    there = slice(shard.start, shard.start + len(shard.ids))
    with safe_open(folder.file(EDITS), "pt") as stored:
        codes = stored.get_slice("codes")

        def at(strength: float) -> Tensor:
            found: Tensor = codes[cell.strengths.index(strength), there]
            return found

        after = at(cell.default_strength)
        before = at(0.0) if 0.0 in cell.strengths else shard.latents.codes.cpu()
    space: Space = "w+" if after.ndim == 3 else "s"
    step = (after - _in_space(before, space, domain)).double()
    if space == "w+":
        norms = step.norm(dim=-1)
    else:
        widths = [layer.channels for layer in domain.generator.style_layout]
        norms = torch.stack([part.norm(dim=-1) for part in step.split(widths, dim=-1)], dim=-1)
    return space, dict(zip(shard.ids, norms.tolist(), strict=True))


@dataclass(frozen=True)
class CellMaterial:
    """The data from which controls are made; a method raises `NotApplicableError` if it does not exist.

    Attributes:
        cell: the control's cell.
        shard: the images, the same inputs as for the copied cell, with their ground truth.
        store: the store of the copied cell.
        domain: for the layout of codes, pictures that have to be synthesised again, and the world's renderer.
        perfect: the ground truth of the metrics, which has pictures with the requested attribute.
    """

    cell: Cell
    shard: InputShard
    store: Store
    domain: Domain
    perfect: GroundTruth

    @property
    def copies(self) -> bool:
        """Whether the cell copies something from another one."""
        return self.cell.matched_to is not None

    @property
    def _copied(self) -> Cell:
        assert self.cell.matched_to is not None
        return self.cell.matched_to

    def step_lengths(self) -> tuple[Space, dict[str, list[float]]]:
        """Like `step_lengths`, for the copied cell."""
        try:
            return step_lengths(self.store.cell(self._copied), self._copied, self.shard, self.domain)
        except FileNotFoundError as error:
            raise NotApplicableError(f"there are no edited codes of {self._copied.method} to match") from error

    def edits(self) -> dict[float, dict[str, Tensor]]:
        """Return strength -> image id -> picture [3, H, W] in [-1, 1] of the copied cell."""
        source, strengths = self.store.cell(self._copied).path, self.cell.strengths
        manifest = read_manifest(source)
        assert manifest is not None
        try:
            stored = CellPictures(source, manifest, lambda: self.domain).read(self.shard.ids, strengths)
        except PicturesGoneError as error:
            raise NotApplicableError(str(error)) from error
        shown = {s: to_images(pixels, self.domain.device) for s, pixels in zip(strengths, stored, strict=True)}
        return {s: dict(zip(self.shard.ids, images, strict=True)) for s, images in shown.items()}

    @torch.no_grad()
    def truth(self) -> dict[str, Tensor]:
        """Return image id -> picture [3, H, W] in [-1, 1] that has the requested attribute."""
        cell, world, asked = self.cell, self.domain.world, self.cell.prompt.asked
        if world is None or self.shard.factors is None:
            raise NotApplicableError(f"there is no renderer for photos of {cell.dataset} with another attribute")
        if not asked:
            raise NotApplicableError(f"prompt {cell.prompt_id} names no attribute of the {world.name} world")
        truth = self.perfect(self.shard.factors, asked)
        assert truth is not None
        return dict(zip(self.shard.ids, truth.images.to(self.domain.device), strict=True))


def lies_elsewhere(cell: Cell) -> dict[str, str] | None:
    """Return where the pictures of a control are already stored, as in `Kept.copied`; None if it stores its own."""
    if cell.matched_to is not None and copied(cell.method) == "edit":
        return {"method": cell.matched_to.method, "cell": cell.matched_to.digest}
    group = shown(cell.method)
    return {"inputs": group} if group in (PHOTO, INVERSION) else None
