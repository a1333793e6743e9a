"""A bench in Weights & Biases' own offline files."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from PIL import Image

from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError
from textedit_bench.report.online import log_bench


def _records(path):
    """Every record of an offline file, as wandb's own reader gives them."""
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore

    file = DataStore()
    file.open_for_scan(str(path))
    while (data := file.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
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
    assert history["mini/table"]["_type"] == "table-file" and history["mini/table"]["nrows"] == 1
    assert history["mini/sheet"]["_type"] == "image-file"


def test_an_unknown_logger_is_bad_input():
    with pytest.raises(UserError, match="valid: none, wandb"):
        BenchRequest(logger="paper")
