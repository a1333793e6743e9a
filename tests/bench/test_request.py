"""A request refuses every value outside its range, in one line that names the field and what is valid."""

from __future__ import annotations

import pytest

from textedit_bench.bench.request import BenchRequest
from textedit_bench.errors import UserError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("images", 0),
        ("images", True),
        ("seed", -1),
        ("threads", 0),
        ("strengths", ()),
        ("strengths", (1.0, 0.0)),
        ("strengths", (float("nan"),)),
        ("strengths", (-1.0,)),
        ("prompts", (" ",)),
        ("split", "train"),
        ("protocol", ""),
    ],
)
def test_values_out_of_range_name_their_field(tiny, tmp_path, field, value):
    with pytest.raises(UserError, match=field):
        tiny.request(tmp_path / "r", "shift", **{field: value})


def test_a_results_folder_that_is_a_file_is_refused(tiny, tmp_path):
    (tmp_path / "r").write_text("")
    with pytest.raises(UserError, match="is a file"):
        tiny.request(tmp_path / "r", "shift")


@pytest.mark.parametrize(
    ("field", "value", "meant", "valid"),
    [
        ("logger", "wand", "wandb", "none, wandb"),
        ("engine", "lokal", "local", "auto, local, processes, ray, slurm"),
        ("protocol", "cencus", "census", "census, quick"),
        ("split", "developement", "development", "development, evaluation"),
        ("keep_pictures", "show", "shown", "all, none, shown"),
    ],
)
def test_a_name_outside_a_list_has_a_hint_at_its_spelling(field, value, meant, valid):
    with pytest.raises(UserError, match=f"unknown {field} '{value}'. Did you mean '{meant}'. Valid: {valid}"):
        BenchRequest(**{field: value})


def test_a_share_of_a_gpu_above_the_most_says_so():
    with pytest.raises(UserError, match=r"gpus: 65 of every method; valid: above 0 to 1, or whole numbers to 64"):
        BenchRequest(gpus={"": 65})
