"""Check that an edit depends only on its image, prompt, strength and seed."""

from __future__ import annotations

import torch
from torch import nn

from textedit_bench.editor import Latents
from textedit_bench.testing.checks.check import check
from textedit_bench.testing.result import CheckError, DoesNotApplyError
from textedit_bench.testing.subject import Subject


@check(
    "alone or in a batch, the same edit",
    "an image's edit alone equals its edit in a batch",
    "batch sizes differ between machines and between the last batch and the others; results must not",
    of_edits=True,
)
def one_as_many(subject: Subject) -> None:
    """Compare every image alone with all together."""
    strength = subject.info.strength_default
    editor, latents = subject.editor(), subject.fresh_latents()
    alone = [
        subject.pictures(subject.seeded(editor, strength, latents=latents[i : i + 1])) for i in range(len(latents))
    ]
    worst = subject.differ(torch.cat(alone), subject.usual)
    if worst > subject.tolerance:
        raise CheckError(f"alone and in a batch of {len(latents)}, pictures differ by {worst:.3g} of [-1, 1]")


@check(
    "the order of images does not matter",
    "a batch in another order gives the same edits in that order",
    "the composition of batches depends on sharding",
    of_edits=True,
)
def image_order(subject: Subject) -> None:
    """Reverse the order of images."""
    backwards = list(range(len(subject.latents)))[::-1]
    edit = subject.edit(subject.info.strength_default, latents=subject.fresh_latents()[backwards])
    worst = subject.differ(subject.pictures(edit), subject.usual[backwards])
    if worst > subject.tolerance:
        raise CheckError(f"in reverse order, pictures differ by {worst:.3g} of [-1, 1]")


@check(
    "the order of edits does not matter",
    "an editor that has edited before gives the same edits as a new one",
    "cells are resumed and distributed over workers: the earlier edits of an editor differ between runs",
    of_edits=True,
)
def edit_order(subject: Subject) -> None:
    """Edit by another prompt and strength first."""
    editor = subject.editor()
    subject.seeded(editor, 2.0, subject.prompts[-1])
    worst = subject.differ(subject.pictures(subject.seeded(editor, subject.info.strength_default)), subject.usual)
    if worst > subject.tolerance:
        raise CheckError(f"after another edit, pictures differ by {worst:.3g} of [-1, 1]")


@check(
    "same seed, same result",
    "two new editors with the same seed of torch give bitwise equal results",
    "a table that cannot be reproduced cannot be verified",
)
def repeatable(subject: Subject) -> None:
    """Compare codes or pictures exactly."""
    strength = subject.info.strength_default
    first, second = (subject.edit(strength) for _ in range(2))
    first, second = (edit.codes if isinstance(edit, Latents) else edit for edit in (first, second))
    if not torch.equal(first, second):
        raise CheckError(f"results differ by up to {float((first - second).abs().max()):.3g}")


@check(
    "inputs and networks are not changed",
    "edit does not change the given latents or any network of the domain",
    "all methods of a run share these tensors and networks",
)
def inputs_unchanged(subject: Subject) -> None:
    """Compare tensors, weights, train mode and gradients of the loaded networks."""
    given, kept = subject.fresh_latents(), subject.fresh_latents()
    editor = subject.editor()
    subject.seeded(editor, 0.0)  # loads what it loads
    networks = {role: network for role, network in subject.domain._networks.items() if isinstance(network, nn.Module)}
    before = {role: {k: v.clone() for k, v in network.state_dict().items()} for role, network in networks.items()}
    subject.seeded(editor, subject.info.strength_default, latents=given)
    for name in ("codes", "images"):
        old, new = getattr(kept, name), getattr(given, name)
        if old is not None and not torch.equal(old, new):
            raise CheckError(f"the given latents' {name} were changed in place")
    for role, network in networks.items():
        state = network.state_dict()
        changed = [name for name, value in before[role].items() if not torch.equal(value, state[name])]
        if changed:
            raise CheckError(f"the {role}'s {changed[0]} was changed")
        if network.training or any(parameter.requires_grad for parameter in network.parameters()):
            raise CheckError(
                f"the {role} was left in train mode or unfrozen; networks are shared and must not be changed"
            )
        if any(parameter.grad is not None for parameter in network.parameters()):
            raise CheckError(f"the {role} was left with gradients in its parameters")


@check(
    "an edit needs no photo",
    "latents whose images are None are edited too",
    "samples of the generator have codes and no photo",
    of_edits=True,
)
def without_photos(subject: Subject) -> None:
    """Replace the photos by the pictures of the codes."""
    if subject.info.own_inversion or subject.info.control:
        raise DoesNotApplyError("it inverts photos by itself, or is a control")
    bare = Latents(subject.latents.codes.clone(), "w+", ids=subject.latents.ids)
    edit = subject.edit(subject.info.strength_default, latents=bare)
    if not torch.isfinite(subject.pictures(edit)).all():
        raise CheckError("without photos the edit holds nan or infinite numbers")


CHECKS = (one_as_many, image_order, edit_order, repeatable, inputs_unchanged, without_photos)
