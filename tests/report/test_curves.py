"""Lines of the curve figure can be told apart, however many there are."""

from __future__ import annotations

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.report.curves import line_looks


def _rows(methods: int, controls: int):
    rows = [SimpleNamespace(method=f"m{i}", matched="", variant="", control=False) for i in range(methods)]
    for i in range(methods):
        rows += [SimpleNamespace(method=f"c{k}", matched=f"m{i}", variant="", control=True) for k in range(controls)]
    return rows


@given(methods=st.integers(1, 50), controls=st.integers(0, 4))
def test_no_two_lines_look_alike_and_a_control_has_the_colour_of_its_method(methods, controls):
    rows = _rows(methods, controls)
    looks = line_looks(rows)
    assert len({(look["color"], look["marker"], str(look["linestyle"])) for look in looks}) == len(rows)
    colour = {row.method: look["color"] for row, look in zip(rows, looks, strict=True)}
    assert all(look["color"] == colour[row.matched] for row, look in zip(rows, looks, strict=True) if row.matched)


def test_variants_of_a_method_differ_in_colour():
    rows = [SimpleNamespace(method="m", matched="", variant=f"depth={i}", control=False) for i in range(3)]
    assert len({look["color"] for look in line_looks(rows)}) == 3
