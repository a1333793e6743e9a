"""A bench in Weights & Biases' own offline files."""

from __future__ import annotations

import json
import struct

import pandas as pd
import pytest
from PIL import Image

from textedit_bench.bench.request import BenchRequest
from textedit_bench.bench.store import Store
from textedit_bench.errors import UserError
from textedit_bench.report.online import log_bench


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


def test_an_unknown_logger_is_bad_input():
    with pytest.raises(UserError, match="valid: none, wandb"):
        BenchRequest(logger="paper")
