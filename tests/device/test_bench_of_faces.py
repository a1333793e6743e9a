"""The cells of the mini tier's faces on plain ``cuda``: every metric that a face has, and nothing on another card."""

from __future__ import annotations

import json
from io import StringIO

import pandas as pd

from textedit_bench.bench.progress import PlainReporter
from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.run import run_cells
from textedit_bench.registry import list_methods
from textedit_bench.testing.pretend_cuda import PretendCuda


def test_a_method_and_its_controls_are_scored(tmp_path, monkeypatch):
    monkeypatch.setattr("textedit_bench.bench.inputs.REFERENCE_IMAGES", 24)
    request = BenchRequest(
        methods=("ffclip",), datasets=("ffhq",), images=2, strengths=(0.0, 1.0), threads=2, device="cuda",
        prompts=("blond-hair",), results=tmp_path, tier="mini",
    )  # fmt: skip
    with PretendCuda(devices=2, only=0) as cuda:
        outcomes = run_cells(request, PlainReporter(StringIO())).summary.outcomes
    assert not cuda.record.mixes
    assert [(outcome.label, outcome.reason) for outcome in outcomes if outcome.state.value == "failed"] == []
    folders = {path.parent.parent.name: path.parent for path in tmp_path.rglob("records.parquet")}
    controls = {card.name for card in list_methods() if card.control}
    assert {"ffclip"} <= set(folders) and len(controls & set(folders)) >= 4
    records = pd.read_parquet(folders["ffclip"] / "records.parquet")
    assert set(records["metric"]) >= {"success", "clip_score", "identity", "lpips"}
    assert "pretended GPU" in json.dumps(json.loads((folders["ffclip"] / "manifest.json").read_text()))
