"""A bench in Weights & Biases' own offline files."""

from __future__ import annotations

import json
import struct
import sys
from types import SimpleNamespace

import pandas as pd
import pytest
from PIL import Image

from textedit_bench import benchmark
from textedit_bench.bench.progress import BenchSummary, CellOutcome, State
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError
from textedit_bench.report import online
from textedit_bench.report.online import log_bench
from textedit_bench.report.write import Reports

BLOCK, HEAD = 32768, 7


def _chunks(data):
    """The payloads of wandb's file: LevelDB's log format behind seven bytes, records split over blocks joined again.

    wandb has its own reader no more since it writes these files from Go.
    """
    assert data[:4] == b":W&B"
    place, parts = HEAD, []
    while place + HEAD <= len(data):
        if BLOCK - place % BLOCK < HEAD:  # too little room for a head: the writer filled it with zeros
            place += BLOCK - place % BLOCK
            continue
        length, kind = struct.unpack_from("<HB", data, place + 4)
        parts.append(data[place + HEAD : place + HEAD + length])
        place += HEAD + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield b"".join(parts)
            parts = []


def _records(path):
    """Every record of an offline file."""
    from wandb.proto import wandb_internal_pb2

    for chunk in _chunks(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(chunk)
        yield record


@pytest.mark.slow
def test_request_tables_and_sheets_are_in_the_offline_file(tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_MODE", raising=False)
    folder = tmp_path / "results" / "mini"
    folder.mkdir(parents=True)
    pd.DataFrame({"method": ["a"], "success": [0.5]}).to_csv(folder / "table.csv", index=False)
    Image.new("RGB", (4, 4)).save(folder / "sheet.png")
    paths = [folder / "table.csv", folder / "sheet.png"]
    said = log_bench(Store(tmp_path / "results"), [], {"methods": ["m"], "images": 24}, paths)
    assert "wandb sync" in said
    (file,) = (tmp_path / "results" / "wandb").glob("offline-run-*/*.wandb")
    config, history = {}, {}
    for record in _records(file):
        for item in record.run.config.update:
            config[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
        for item in record.history.item:
            history[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
    assert config["methods"] == ["m"] and config["images"] == 24
    # A medium's entries come one by one, under the logged name and their own.
    assert history["mini/table/_type"] == "table-file" and history["mini/table/nrows"] == 1
    assert history["mini/sheet/_type"] == "image-file"


class Refused(Exception):
    """An error of the package's own."""


@pytest.fixture(params=["edit", "generate"])
def bench(request, tmp_path, monkeypatch):
    """run(): a bench of either task whose cells are done and whose one table is written, logged by a made-up wandb."""
    module, run = {"edit": (benchmark, "write_reports"), "generate": (benchmark, "write_generation")}[request.param]
    table = tmp_path / "mini" / "table.csv"
    table.parent.mkdir()
    pd.DataFrame({"method": ["a"]}).to_csv(table, index=False)
    store = SimpleNamespace(root=tmp_path)
    summary = BenchSummary((CellOutcome("a", "1", State.DONE),), 0.0)
    done = SimpleNamespace(interrupted=False, summary=summary, store=store, cells=(), benched=(), seconds=lambda: 0.0)
    worked = []
    monkeypatch.setattr(module, "run_cells", lambda *_, **__: worked.append(True) or done)
    monkeypatch.setattr(module, run, lambda *_: Reports((table,), {"mini": "a table"}, ()))
    monkeypatch.setattr(online, "collect_stored", lambda *_: [])
    call = {"edit": benchmark.run_bench, "generate": benchmark.run_generation}[request.param]
    return SimpleNamespace(run=lambda: call(BenchRequest(logger="wandb")), task=request.param, worked=worked)


def _wandb(monkeypatch, init):
    monkeypatch.setitem(
        sys.modules, "wandb", SimpleNamespace(init=init, Settings=dict, Table=lambda dataframe: "table")
    )


def test_both_tasks_log_their_table_and_request(bench, tmp_path, monkeypatch):
    logged, configs = [], []
    run = SimpleNamespace(log=logged.append, dir=str(tmp_path / "run" / "files"), finish=lambda: None)
    _wandb(monkeypatch, lambda **given: configs.append(given["config"]) or run)
    assert any("wandb sync" in note for note in bench.run().notes)
    assert logged == [{"mini/table": "table"}] and configs[0]["task"] == bench.task


def test_an_error_of_the_logger_costs_a_line_and_not_the_summary(bench, monkeypatch):
    def refuse(**_):
        raise Refused("no\nnetwork")

    _wandb(monkeypatch, refuse)
    summary = bench.run()
    assert summary.exit_code == 0 and summary.tables == {"mini": "a table"}
    (note,) = summary.notes
    assert note.startswith("not logged to Weights & Biases (Refused: no network)")


def test_a_missing_package_is_refused_before_any_work(bench, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match="pip install wandb"):
        bench.run()
    assert bench.worked == []


def test_an_unknown_logger_is_bad_input():
    with pytest.raises(UserError, match="Valid: none, wandb"):
        BenchRequest(logger="paper")
