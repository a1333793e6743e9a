"""Which attributes of a world follow the styles of the convolutions."""

from __future__ import annotations

import json

import pytest

from textedit_bench.domain import load_domain
from textedit_bench.stylespace import reach
from textedit_bench.stylespace.reach import main, measure_reach, measure_single_channels
from textedit_bench.stylespace.statistics import editable


def test_shapes_follow_the_convolutions_and_plain_colours_do_not():
    rows = {row.attribute: row for row in measure_reach(load_domain("ffhq", "mini"), 12)}
    assert rows["hat"].follows > 0.7 and rows["background"].follows < 0.3
    assert all(0 <= row.pairs <= 12 and (row.follows is None) == (row.pairs == 0) for row in rows.values())


def test_the_command_prints_a_row_per_attribute(capsys):
    main(["--dataset", "cat", "--pairs", "2", "--json"])
    listed = json.loads(capsys.readouterr().out)
    assert [row["attribute"] for row in listed] == [a.name for a in load_domain("cat", "mini").world.attributes]


def test_more_channels_reach_no_less_and_the_command_prints_a_row_per_value(monkeypatch, capsys):
    domain, few = load_domain("cat", "mini"), {}
    for count in (6, 12):
        monkeypatch.setattr(reach, "editable", lambda generator, count=count: editable(generator)[:: 432 // count])
        few[count] = measure_single_channels(domain, 4)
    for less, more in zip(few[6], few[12], strict=True):
        assert (less.photos, less.reached is None) == (more.photos, less.photos == 0)
        assert less.reached is None or 0 <= less.reached <= more.reached <= 1
    assert any(row.reached for row in few[12]) and not all(row.reached == 1 for row in few[12] if row.photos)
    main(["--dataset", "cat", "--pairs", "1", "--single", "10"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == sum(len(attribute.values) for attribute in domain.world.attributes)


@pytest.mark.parametrize(
    "arguments",
    [["--dataset", "cat", "--pairs", "0"], ["--dataset", "dog"], ["--dataset", "cat", "--single", "-1"]],
)
def test_bad_input_is_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "valid" in capsys.readouterr().err.lower()
