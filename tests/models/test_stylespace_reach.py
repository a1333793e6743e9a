"""Which attributes of a world follow the styles of the convolutions."""

from __future__ import annotations

import json

import pytest

from textedit_bench.domain import load_domain
from textedit_bench.stylespace.reach import main, measure_reach


def test_shapes_follow_the_convolutions_and_plain_colours_do_not():
    rows = {row.attribute: row for row in measure_reach(load_domain("ffhq", "mini"), 12)}
    assert rows["hat"].follows > 0.7 and rows["background"].follows < 0.3
    assert all(0 <= row.pairs <= 12 and (row.follows is None) == (row.pairs == 0) for row in rows.values())


def test_the_command_prints_a_row_per_attribute(capsys):
    main(["--dataset", "cat", "--pairs", "2", "--json"])
    listed = json.loads(capsys.readouterr().out)
    assert [row["attribute"] for row in listed] == [a.name for a in load_domain("cat", "mini").world.attributes]


@pytest.mark.parametrize("arguments", [["--dataset", "cat", "--pairs", "0"], ["--dataset", "dog"]])
def test_bad_input_is_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "valid" in capsys.readouterr().err.lower()
