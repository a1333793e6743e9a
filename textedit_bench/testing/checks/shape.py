"""Check the shape of an edit."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from textedit_bench.editor import Latents
from textedit_bench.testing.checks.check import check
from textedit_bench.testing.result import CheckError, DoesNotApplyError
from textedit_bench.testing.subject import Subject


@check(
    "shapes, types and range",
    "edit returns Latents of the given geometry in the card's space with the given ids, or pictures [B, 3, H, W] in "
    "[-1, 1] if the card's space is 'image'; float32, finite, on the given device, without a gradient graph",
    "the runner synthesises and stores edits directly; a graph keeps every intermediate result in memory",
    of_edits=True,
)
def shapes(subject: Subject) -> None:
    """Check at the default strength, and for a batch of one."""
    _look(subject, subject.usual_edit, subject.latents)
    one = subject.fresh_latents()[:1]
    _look(subject, subject.edit(subject.info.strength_default, latents=one), one)


def _look(subject: Subject, edit: Any, given: Latents) -> None:
    if isinstance(edit, Latents):
        generator, tensor = subject.domain.generator, edit.codes
        shape: tuple[int, ...] = (len(given), generator.num_rows, generator.w_dim)
        if edit.space == "s":
            shape = (len(given), generator.num_styles)
        if edit.ids != given.ids:
            raise CheckError(f"ids {edit.ids} for images {given.ids}; Latents.with_codes keeps them")
        if subject.info.space == "image":
            raise CheckError("the card's space is 'image', but edit returned Latents")
    elif isinstance(edit, Tensor):
        tensor, shape = edit, tuple(subject.base[: len(given)].shape)
        if subject.info.space != "image":
            raise CheckError(f"the card's space is {subject.info.space!r}, but edit returned pictures")
        if float(edit.detach().abs().max()) > 1.05:
            raise CheckError(f"pictures reach {float(edit.detach().abs().max()):.3g}; the range is [-1, 1]")
    else:
        raise CheckError(f"edit returned {type(edit).__name__}")
    if tuple(tensor.shape) != shape:
        raise CheckError(f"shape {tuple(tensor.shape)}; wanted {shape}")
    if tensor.dtype != torch.float32 or tensor.device != given.codes.device:
        raise CheckError(f"{tensor.dtype} on {tensor.device}; wanted torch.float32 on {given.codes.device}")
    if tensor.requires_grad:
        raise CheckError("the result carries a gradient graph; edit under torch.no_grad() or detach it")
    if not torch.isfinite(tensor).all():
        raise CheckError("the result holds nan or infinite numbers")


@check(
    "generation",
    "a method with the task 'generate' returns n different images from text, the same for the same seed: W+ codes or "
    "styles of the generator's shape, or pictures [n, 3, H, W]",
    "generated images are compared across methods at equal numbers and seeds",
)
def generation(subject: Subject) -> None:
    """Check two seeds and three images."""
    if "generate" not in subject.info.tasks:
        raise DoesNotApplyError("'generate' is not among its tasks")
    editor, prompt = subject.editor(), subject.prompts[0]
    drawn = [editor.generate(prompt, 3, seed) for seed in (0, 0, 1)]
    first, again, other = (one.codes if isinstance(one, Latents) else one for one in drawn)
    if len(first) != 3:
        raise CheckError(f"{len(first)} images where 3 were asked for")
    shape = subject.pictures(drawn[0]).shape
    if shape != (wanted := (3, 3, subject.domain.resolution, subject.domain.resolution)):
        raise CheckError(f"pictures of shape {tuple(shape)}; wanted {wanted}")
    if not torch.equal(first, again):
        raise CheckError("the same seed gives other images")
    if torch.equal(first, other):
        raise CheckError("another seed gives the same images")
    if torch.equal(first[0], first[1]):
        raise CheckError("the images of one seed are all the same")


CHECKS = (shapes, generation)
