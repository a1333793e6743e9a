"""Check that an edit uses no network connection, no evaluation network and no global state, and hides no cost."""

from __future__ import annotations

import multiprocessing
from typing import Any

import torch

from textedit_bench.data.card import JUDGES
from textedit_bench.testing.checks.check import check
from textedit_bench.testing.result import CheckError
from textedit_bench.testing.subject import Subject
from textedit_bench.testing.watch import RANDOM, connections, global_state, passes, roles_asked, threads_alive

_FORBIDDEN = {*JUDGES, "oracle", "second_oracle"}


@check(
    "no hidden downloads",
    "constructing, loading and editing open no connection; files to download are assets, downloaded by the user",
    "a run that downloads depends on its date, and fails on machines without a network after hours of work",
)
def no_connections(subject: Subject) -> None:
    """Refuse connections during the edit, so that any attempt is detected."""
    subject.usual  # noqa: B018 - what it loads once is not this check's business, but must work
    with connections() as tried:
        try:
            subject.edit(subject.info.strength_default)
        except Exception as error:
            if not tried:
                raise
            raise CheckError(f"it tried to reach {tried[0]}, and failed without ({type(error).__name__})") from error
    if tried:
        raise CheckError(f"it tried to reach {', '.join(tried[:3])}")


@check(
    "no evaluation network is used",
    f"a method does not use these networks of the domain: {', '.join(sorted(_FORBIDDEN))}",
    "an edit that was optimised against the network that evaluates it gets a high score, whatever it looks like",
)
def no_judges(subject: Subject) -> None:
    """Check the networks used in construction and in edits."""
    with roles_asked(subject.domain) as asked:
        try:
            subject.edit(subject.info.strength_default)
        finally:
            touched = sorted(asked & _FORBIDDEN)
            if touched:
                raise CheckError(f"it asked for {', '.join(touched)}")


@check(
    "global state is not changed",
    "constructing, loading and editing do not change global state: default dtype and device, grad mode, threads, "
    "current folder, environment; editing draws no numbers from the global random states of torch, numpy and Python, "
    "and nothing seeds them: random numbers come from the method's own generator",
    "the next method of the same run would inherit the change, and its results would depend on the order of methods",
)
def state_unchanged(subject: Subject) -> None:
    """Check global state; constructing may draw random numbers, but must not reset the random state."""
    latents, prompt = subject.fresh_latents(), subject.prompts[0]
    subject.usual  # noqa: B018 - imports and first-time set-up of libraries are over by then
    ends = []
    with torch.random.fork_rng(devices=[]):
        for seed in (1, 2):
            torch.manual_seed(seed)
            before = global_state()
            editor = subject.editor()
            ends.append(global_state())
            _compare(before, ends[-1], but=RANDOM)
    seeded = [name for name in RANDOM[:1] if ends[0][name] == ends[1][name]]
    if seeded:
        raise CheckError(f"constructing or loading it seeds {seeded[0]}")
    before = global_state()
    subject.run(editor, subject.info.strength_default, prompt, latents)
    _compare(before, global_state())


def _compare(before: dict[str, Any], after: dict[str, Any], but: tuple[str, ...] = ()) -> None:
    changed = [name for name, value in before.items() if name not in but and after[name] != value]
    if changed:
        raise CheckError(f"changed: {', '.join(changed)}")


@check(
    "all work is done inside edit",
    "all work of an edit is done in edit: constructing the editor runs no network, and no threads or processes "
    "continue afterwards",
    "the runner times edit; work before or after it is missing from the cost table",
)
def honest_cost(subject: Subject) -> None:
    """Count network passes of edits, after the networks were loaded."""
    subject.usual  # noqa: B018
    networks = {role: net for role, net in subject.domain._networks.items() if role not in _FORBIDDEN}
    with passes(networks) as counts:
        editor = subject.new()
    used = [role for role, count in counts.items() if count]
    if used:
        raise CheckError(f"constructing it ran the {used[0]}")
    before = threads_alive()
    subject.seeded(editor if subject.weights is None else subject.editor(), subject.info.strength_default)
    left = [name for thread, name in threads_alive().items() if thread not in before]
    if left:
        raise CheckError(f"threads were left running: {', '.join(left)}")
    children = multiprocessing.active_children()
    if children:
        raise CheckError(f"processes were left running: {', '.join(child.name for child in children)}")


CHECKS = (no_connections, no_judges, state_unchanged, honest_cost)
