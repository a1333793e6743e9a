"""Check the meaning of strength."""

from __future__ import annotations

import torch

from textedit_bench.editor import Latents
from textedit_bench.testing.checks.check import check
from textedit_bench.testing.result import CheckError, DoesNotApplyError
from textedit_bench.testing.subject import Subject

_STRENGTHS = (0.0, 0.5, 1.0, 2.0)
_SLACK = 0.05


@check(
    "strength 0 is the base",
    "strength 0 returns the given codes unchanged, or, if the card sets own_inversion, the method's own inversion, "
    "which is the same for every prompt",
    "curves of effect against preservation begin at strength 0; if it already edits, the curves have different "
    "starting points",
    of_edits=True,
)
def strength_zero(subject: Subject) -> None:
    """Compare codes, or pictures if there are no codes."""
    found = subject.edit(0.0)
    if subject.info.own_inversion:
        if len(subject.prompts) < 2:
            raise DoesNotApplyError("one prompt alone cannot distinguish an inversion from an edit")
        other = subject.edit(0.0, subject.prompts[1])
        worst = subject.differ(subject.pictures(found), subject.pictures(other))
        if worst > subject.tolerance:
            raise CheckError(f"two prompts give pictures that differ by {worst:.3g} at strength 0")
        return
    if isinstance(found, Latents):
        given = subject.latents.codes
        if found.space == "s":
            with torch.no_grad():
                given = subject.domain.generator.to_style(given)
        worst = float((found.codes.detach() - given).abs().max()) if found.codes.shape == given.shape else float("inf")
        if not worst <= 1e-5:
            raise CheckError(f"codes at strength 0 differ from the given ones by up to {worst:.3g}")
        return
    worst = subject.differ(subject.pictures(found), subject.base)
    if worst > 1 / 255:
        raise CheckError(f"pictures at strength 0 differ from those of the given codes by {worst:.3g} of [-1, 1]")


@check(
    "more strength is not less effect",
    "averaged over images, the picture moves at least as far from strength 0 with every larger strength "
    f"({', '.join(map(str, _STRENGTHS))}; {_SLACK:.0%} slack)",
    "methods are compared at equal effect, found by raising the strength, which requires a monotonic curve",
    of_edits=True,
)
def monotone(subject: Subject) -> None:
    """Compare mean absolute changes of the pictures, over prompts and images."""
    effects = [0.0] * len(_STRENGTHS)
    editor = subject.editor()
    for prompt in subject.prompts:
        pictures = [subject.pictures(subject.seeded(editor, strength, prompt)) for strength in _STRENGTHS]
        for position, picture in enumerate(pictures):
            effects[position] += float((picture - pictures[0]).abs().mean())
    for position in range(1, len(effects)):
        if effects[position] < (1 - _SLACK) * effects[position - 1] - 1e-6:
            low, high = _STRENGTHS[position - 1 : position + 1]
            raise CheckError(
                f"strength {high:g} moves the pictures by {effects[position]:.4g}, strength {low:g} by "
                f"{effects[position - 1]:.4g}"
            )


@check(
    "an edit edits",
    "the default strength changes the picture, and two prompts change it in different ways",
    "a method that ignores its prompt scores like a random direction, usually because of a bug",
    of_edits=True,
)
def does_something(subject: Subject) -> None:
    """Check for a change; controls are exempt."""
    if subject.info.control:
        raise DoesNotApplyError("it is a control")
    moved = subject.differ(subject.usual, subject.base)
    if moved < 1e-4:
        raise CheckError(f"the default strength changes the pictures by {moved:.2g} of [-1, 1]")
    if len(subject.prompts) > 1:
        other = subject.pictures(subject.edit(subject.info.strength_default, subject.prompts[1]))
        if subject.differ(other, subject.usual) < 1e-5:
            first, second = (prompt.words for prompt in subject.prompts)
            raise CheckError(f"{first!r} and {second!r} give the same pictures")


@check(
    "a sweep is its edits",
    "edit_sweep returns one edit per strength, in order, each equal to that of edit",
    "the runner calls edit_sweep, the command `edit` calls edit: their results must agree",
    of_edits=True,
)
def sweep(subject: Subject) -> None:
    """Check three strengths, the default one first."""
    strengths = (subject.info.strength_default, 0.0, 0.5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        found = subject.editor().edit_sweep(subject.fresh_latents(), subject.prompts[0], strengths)
    if len(found) != len(strengths):
        raise CheckError(f"{len(found)} edits for {len(strengths)} strengths")
    for strength, edit in zip(strengths, found, strict=True):
        worst = subject.differ(subject.pictures(edit), subject.pictures(subject.edit(strength)))
        if worst > subject.tolerance:
            raise CheckError(f"at strength {strength:g} sweep and edit differ by {worst:.3g} of [-1, 1]")


CHECKS = (strength_zero, monotone, does_something, sweep)
