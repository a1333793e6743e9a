"""The picture sheet holds the stored pictures where its labels say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from textedit_bench.report.sheet import SheetRow, draw_sheet, sheet_rows


def flat(level: int) -> np.ndarray:
    return np.full((8, 8, 3), level, np.uint8)


def test_tiles_are_where_they_belong():
    groups = [[SheetRow("a", (flat(10), None)), SheetRow("b", (flat(90), flat(200)))]]
    page = np.asarray(draw_sheet("title", ["one", "two"], groups, tile=20))
    found = {level: np.argwhere((page == level).all(-1)) for level in (10, 90, 200)}
    assert all(len(where) >= 20 * 20 for where in found.values())
    first, below, right = (found[level].min(0) for level in (10, 90, 200))
    assert first[1] == below[1] < right[1]
    assert first[0] < below[0] == right[0]


def test_long_and_strange_labels_fit():
    label = "a very long label of many words " * 5 + "x" * 300
    page = draw_sheet(label, [label, "\u202e漢字 🧔"], [[SheetRow(label, (flat(0), flat(0)))]], tile=20)
    assert page.width < 400
    tile = np.asarray(page)[-34:-14, 160:180]
    assert (tile == 0).all()


def test_the_row_of_a_control_holds_that_control_alone():
    # The edits for other prompts once stood in the row of the random step: both are matched to the method.
    def cell(method, prompt, matched_to=None):
        identity = SimpleNamespace(prompt_id=prompt, matched_to=matched_to, method=method)
        return SimpleNamespace(digest=f"{method}/{prompt}", listing=SimpleNamespace(title=method), identity=identity)

    method = [cell("M", prompt) for prompt in "ab"]
    random = [cell("random-direction", prompt, f"M/{prompt}") for prompt in "ab"]
    wrong = [cell("wrong-prompt", prompt, f"M/{prompt}") for prompt in "ab"]
    stranger = [cell("random-direction", "a", "N/a")]
    assert sheet_rows(method, [*method, *wrong, *random, *stranger]) == {"M": method, "random-direction": random}
