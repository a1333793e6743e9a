"""What the words of ``bench`` ask the runner for, and how its end becomes an exit code."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from typer.main import get_command

from textedit_bench.bench.progress import BenchSummary, CellOutcome, State
from textedit_bench.bench.request import STANDARD_STRENGTHS, BenchRequest
from textedit_bench.cli.main import app

BENCH = get_command(app).commands["bench"]


@pytest.fixture
def asked(monkeypatch):
    """Requests that reached the runner; ``asked.end`` decides how its one cell ends."""

    class Asked(list):
        end = State.DONE

        def __call__(self, request: BenchRequest) -> BenchSummary:
            self.append(request)
            return BenchSummary((CellOutcome("a / b / c", "0" * 8, self.end),), seconds=1.0)

    asked = Asked()
    monkeypatch.setattr("textedit_bench.benchmark.run_bench", asked)
    monkeypatch.setattr("textedit_bench.cli.cells.refuse_unknown_names", lambda request: None)
    return asked


def test_nothing_given_means_the_standard_protocol(run, asked):
    assert run("bench").code == 0
    assert asked[0].standard
    assert asked[0].methods == asked[0].datasets == ()


def test_every_option_arrives(run, asked, tmp_path):
    words = "-m a,b -d c --tier mini --images 5 --strengths 0,1,2.5 --seed 7 --no-controls --threads 1 --set x=1"
    run("bench", *words.split(), "--set", "name=word", "--prompts", "red, round; old", "--results", str(tmp_path))
    request = asked[0]
    assert request.methods == ("a", "b")
    assert request.datasets == ("c",)
    assert request.tier == "mini"
    assert request.images == 5
    assert request.strengths == (0.0, 1.0, 2.5)
    assert request.seed == 7
    assert request.controls is False
    assert request.threads == 1
    assert request.settings == {"x": 1, "name": "word"}
    assert request.prompts == ("red, round", "old")
    assert request.results == Path(tmp_path)


def test_cards_and_precision_arrive(run, asked):
    run("bench", "-m", "a", "--devices", "0,2", "--precision", "tf32")
    run("score", "-m", "a", "--device", "cuda:1", "--precision", "bf16")
    assert [(r.device, r.devices, r.precision) for r in asked] == [("cuda", (0, 2), "tf32"), ("cuda:1", (), "bf16")]


FREE = {"results", "device", "devices", "engine", "workers", "gpus", "slurm", "from_manifest", "json"}


@pytest.mark.parametrize("option", [option for option in BENCH.params if option.name not in FREE], ids=lambda o: o.name)
def test_every_option_that_a_manifest_decides_is_refused_beside_it(run, asked, option):
    for word in (*option.opts, *option.secondary_opts):
        ended = run("bench", "--from-manifest", "manifest.json", word, *([] if option.is_flag else ["1"]))
        assert ended.code == 2 and option.opts[0] in ended.err.partition(": the manifest decides that")[0]
        assert "valid with --from-manifest: --results, --device, --devices, --engine" in ended.err
    assert not asked


def test_score_asks_for_the_same_cells_without_editing(run, asked):
    run("bench", "-m", "a", "--images", "5")
    run("score", "-m", "a", "--images", "5")
    edited, scored = asked
    assert (edited.infer, scored.infer) == (True, False)
    assert (edited.engine, scored.engine) == ("auto", "local")
    assert dataclasses.replace(scored, infer=True, command=edited.command, engine=edited.engine) == edited


def test_a_seed_of_zero_counts_as_given(run, asked):
    run("bench", "--seed", "0")
    assert asked[0].seed == 0
    assert asked[0].strengths == STANDARD_STRENGTHS


def test_one_text_with_a_comma_is_kept_by_a_trailing_semicolon(run, asked):
    run("bench", "--prompts", "old, with a beard;")
    assert asked[0].prompts == ("old, with a beard",)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (State.DONE, 0),
        (State.CACHED, 0),
        (State.NOT_APPLICABLE, 0),
        (State.FAILED, 1),
        (State.OUT_OF_MEMORY, 1),
        (State.INTERRUPTED, 130),
    ],
)
def test_the_end_of_the_cells_is_the_exit_code(run, asked, state, code):
    asked.end = state
    assert run("bench").code == code


def test_the_summary_can_be_read_by_a_program(run, asked):
    assert json.loads(run("bench", "--json").out)["cells"][0]["label"] == "a / b / c"


def test_an_interrupt_is_130_with_one_line(run, monkeypatch):
    def interrupted(request):
        raise KeyboardInterrupt

    monkeypatch.setattr("textedit_bench.benchmark.run_bench", interrupted)
    ended = run("bench")
    assert ended.code == 130
    assert ended.err == "textedit-bench: interrupted\n"


def test_a_bug_keeps_its_traceback(run, monkeypatch):
    def bug(request):
        raise ZeroDivisionError

    monkeypatch.setattr("textedit_bench.benchmark.run_bench", bug)
    with pytest.raises(ZeroDivisionError):
        run("bench")
