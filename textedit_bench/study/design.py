"""Choose what a study asks: every pair of methods about equally often, and attention checks with known answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, islice

import numpy as np
import pandas as pd

from textedit_bench.bench.kept import PicturesGoneError
from textedit_bench.bench.pictures import Pixels
from textedit_bench.controls.cards import copied, shown
from textedit_bench.errors import UserError
from textedit_bench.report.audit import EFFECT, JUDGES, KEPT
from textedit_bench.report.collect import ComparableCells, StoredCell
from textedit_bench.report.rows import RowCells
from textedit_bench.study.files import FITS, KEEPS, Key, Question, Trial

METRICS = {FITS: (EFFECT, *JUDGES[EFFECT]), KEEPS: (KEPT, *JUDGES[KEPT])}
"""Automatic metrics that claim to answer a question."""
CHANGE = "lpips"
"""What says how far a picture is away from its photo."""


@dataclass(frozen=True)
class Wanted:
    """How large a study is: pictures side by side; per participant comparisons, and checks of each question; forms."""

    options: int = 2
    comparisons: int = 16
    checks: int = 4
    forms: int = 1
    """Different sets of comparisons, of which every participant gets one."""
    seed: int = 0
    methods: tuple[str, ...] = ()
    """Registry names; all stored ones where empty."""


@dataclass(frozen=True, eq=False)
class Edit:
    """An image of a cell at a strength; what it shows and scores is read where it is chosen."""

    title: str
    cell: StoredCell
    image: str
    strength: float

    @cached_property
    def picture(self) -> Pixels:
        """8-bit, [H, W, 3]."""
        return self.cell.pictures([self.image], [self.strength])[0][0]

    @cached_property
    def values(self) -> pd.Series:
        """Metric -> value, nan if there is none."""
        return self.cell.scores(self.strength).loc[self.image]


def design(part: ComparableCells, wanted: Wanted, tier: str) -> tuple[Key, dict[str, list[Edit]]]:
    """The key of a study of a data set's stored edits, and the edits of every trial in the key's order.

    Comparisons of equal pictures are left out, and those of pictures that are gone.

    Raises:
        UserError: too few methods, or no control from which an attention check could be made.
    """
    rng, questions = np.random.default_rng(wanted.seed), (FITS, KEEPS)
    compared = filter(_differ, _comparisons(rng, [row for row in part.rows if not row.control], wanted))
    asked: list[tuple[Question, list[Edit], bool]] = [(q, edits, False) for edits in compared for q in questions]
    checks = _checks(rng, part, wanted.options)
    asked += [(q, edits, True) for q in questions for edits in islice(filter(_differ, checks[q]), wanted.checks)]
    if wanted.checks and not any(check for _, _, check in asked):
        raise UserError(f"results: the controls give no attention check of {wanted.options} pictures; compare fewer")
    trials: dict[str, Trial] = {}
    chosen: dict[str, list[Edit]] = {}
    forms: list[list[str]] = [[] for _ in range(wanted.forms)]
    for number, at in enumerate(rng.permutation(len(asked))):  # neither names nor order say what a trial is
        question, edits, check = asked[at]
        name, mixed = f"t{number}", [edits[i] for i in rng.permutation(len(edits))]
        scores = pd.DataFrame([edit.values for edit in mixed]).astype(object)
        trials[name] = Trial(
            question=question,
            prompt=edits[0].cell.identity.prompt.words,
            image=edits[0].image,
            edits=[edit.title for edit in mixed],
            values={m: scores[m].where(scores[m].notna(), None).tolist() for m in METRICS[question] if m in scores},
            right=mixed.index(edits[0]) if check else None,
        )
        chosen[name] = mixed
        for form in forms if check else [forms[at // len(questions) % wanted.forms]]:
            form.append(name)
    if not any(trial.right is None for trial in trials.values()):
        raise UserError(f"results of {part.dataset}: all edits are alike, or none was kept")
    known = part.cells[0].manifest.protocols
    metrics = {m: (known[m]["title"], known[m]["higher_is_better"]) for m in sum(METRICS.values(), ()) if m in known}
    key = Key(tier=tier, dataset=part.dataset, seed=wanted.seed, metrics=metrics, trials=trials, forms=forms)
    return key, chosen


def _comparisons(rng: np.random.Generator, rows: Sequence[RowCells], wanted: Wanted) -> Iterator[list[Edit]]:
    """Edits of one photo for one prompt by different methods, at their default strengths."""
    units: dict[tuple[str, str], dict[str, Edit]] = {}
    for row in rows:
        for cell in row.cells if not wanted.methods or row.method in wanted.methods else ():
            for image in _applicable(cell.scores(row.strength)):
                edit = Edit(row.title, cell, image, row.strength)
                units.setdefault((cell.identity.prompt_id, image), {})[row.title] = edit
    usable = [edits for edits in units.values() if len(edits) >= wanted.options]
    if not usable:
        raise UserError(f"too few methods have results; valid: at least {wanted.options} with a prompt in common")
    seen: Counter[object] = Counter()
    order: list[int] = []
    for _ in range(wanted.comparisons * wanted.forms):
        order = order or rng.permutation(len(usable)).tolist()
        edits, chosen = usable[order.pop()], list[str]()
        while len(chosen) < wanted.options:
            left = [str(title) for title in rng.permutation(sorted(edits.keys() - set(chosen)))]
            chosen.append(min(left, key=lambda m: (sum(seen[frozenset((m, c))] for c in chosen), seen[m])))
        seen.update([*chosen, *map(frozenset, combinations(chosen, 2))])
        yield [edits[title] for title in chosen]


def _checks(rng: np.random.Generator, part: ComparableCells, options: int) -> dict[Question, list[list[Edit]]]:
    """Edits whose first is the right answer, of different photos, the clearest first.

    What fits the text: the picture that really has it. What keeps: the photo. Wrong are the photo, in the first case,
    and what random directions made of it, at the largest strength that is stored.
    """
    cells = [(row, cell) for row in part.rows for cell in row.cells]
    photos = {cell.identity.prompt_id: (row.title, cell) for row, cell in cells if shown(row.method) == "photo"}
    found = []
    for row, cell in cells:
        truth = shown(row.method) == "truth"
        if (truth or copied(row.method) == "step") and cell.identity.prompt_id in photos:
            strength = row.strength if truth else max(cell.identity.strengths)
            scores = cell.scores(strength)
            for image in _applicable(scores):
                far = float(scores[CHANGE].fillna(0.0)[image]) if CHANGE in scores else 0.0
                found.append((-far, rng.random(), Edit(row.title, cell, image, strength), truth))
    found.sort(key=lambda each: each[:2])
    wrong: dict[str, list[Edit]] = {}
    for _, _, edit, truth in found:
        wrong.setdefault(edit.image, []).extend([] if truth else [edit])
    checks: dict[Question, dict[str, list[Edit]]] = {FITS: {}, KEEPS: {}}
    for _, _, edit, truth in found:
        photo = Edit(*photos[edit.cell.identity.prompt_id], edit.image, edit.cell.listing.default_strength)
        own = [edit, photo, *wrong[edit.image]] if truth else [photo, *wrong[edit.image]]
        checks[FITS if truth else KEEPS].setdefault(edit.image, own[:options])
    return {q: [edits for edits in each.values() if len(edits) == options] for q, each in checks.items()}


def _applicable(scores: pd.DataFrame) -> list[str]:
    """Images in which what is asked for can be seen and is not there already, where the ground truth knows."""
    return (scores.index[scores[EFFECT].notna()] if EFFECT in scores else scores.index).tolist()


def _differ(edits: Sequence[Edit]) -> bool:
    """Whether no two pictures are equal, and all were kept or can be made again."""
    try:
        return not any(np.array_equal(a.picture, b.picture) for a, b in combinations(edits, 2))
    except PicturesGoneError:
        return False
