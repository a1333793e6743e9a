"""Stored cells with known values, so that a table's figures can be worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from textedit_bench.bench.cell import digest_of
from textedit_bench.bench.scoring import write_table
from textedit_bench.report.collect import Collected, StoredCell

IMAGES = [f"image-{i}" for i in range(8)]
PROTOCOLS: dict[str, dict[str, Any]] = {
    "success": {"id": "success@v1", "title": "Success", "higher_is_better": True, "decimals": 3},
    "oracles_agree": {"id": "agree@v1", "title": "Oracles agree", "higher_is_better": True, "decimals": 3},
    "lpips": {"id": "lpips@v1", "title": "LPIPS", "higher_is_better": False, "decimals": 3},
    "clip_score_in_loop": {"id": "clip@v1", "title": "CLIP (in loop)", "higher_is_better": True, "decimals": 2},
    "fid_real": {"id": "fid@v1", "title": "FID", "higher_is_better": False, "decimals": 2},
}
for _name, _protocol in PROTOCOLS.items():
    _protocol.update(scope="set" if "fid" in _name else "image", in_loop="in_loop" in _name)


@pytest.fixture
def stored(tmp_path):
    """``stored(method, prompt, {metric: eight values}, ...)`` writes a scored cell and returns it."""

    def make(method: str, prompt: str, values: dict[str, Any], **options: Any) -> StoredCell:
        return _store(tmp_path, method, prompt, values, **options)

    return make


@pytest.fixture
def collected(tmp_path):
    """Cells as one data set's, with reference features."""

    def make(cells: list[StoredCell], notes: tuple[str, ...] = ()) -> Collected:
        inputs = tmp_path / "inputs"
        inputs.mkdir(exist_ok=True)
        draw = np.random.default_rng(5)
        arrays = {name: draw.normal(size=(n, 2)) for name, n in (("reference", 9), ("inversion", 8), ("photo", 8))}
        np.savez(inputs / "features.npz", **arrays)
        return Collected("d", cells, inputs, list(notes))

    return make


def _store(
    root: Path,
    method: str,
    prompt: str,
    values: dict[str, Any],
    *,
    title: str = "",
    control: bool = False,
    caveat: str = "",
    trained: bool = True,
    states: dict[str, list[str]] | None = None,
    protocol: str = "v1",
    settings: dict[str, Any] | None = None,
    matched: StoredCell | None = None,
    finished: str = "2026-01-01T00:00:00+00:00",
    weights: str = "w",
    features: Any = None,
    phrase: str | None = None,
) -> StoredCell:
    protocols = {name: {**p, "id": p["id"].replace("v1", protocol)} for name, p in PROTOCOLS.items()}
    identity = {
        "dataset": "d",
        "tier": "mini",
        "method": method,
        "weights": weights,
        "networks": {"generator": "g"},
        "images": {"split": "evaluation", "count": 8, "digest": "abc"},
        "prompt_id": prompt,
        "prompt": {"target": f"a face with {prompt}", "phrase": phrase or prompt},
        "seed": 0,
        "strengths": [0.0, 1.0],
        "settings": settings or {},
        "matched_to": matched.digest if matched else None,
    }
    frames = []
    for metric, given in values.items():
        for strength in (0.0, 1.0):
            numbers = np.asarray(given if strength else np.full(8, -99.0), float)
            state = (states or {}).get(metric, ["ok"] * 8)
            frames.append(
                pd.DataFrame(
                    {
                        "dataset": "d",
                        "method": method,
                        "prompt_id": prompt,
                        "seed": 0,
                        "image": IMAGES,
                        "strength": strength,
                        "metric": metric,
                        "value": np.where(np.array(state) == "ok", numbers, np.nan),
                        "state": state,
                        "protocol": protocols[metric]["id"],
                        "tier": "mini",
                    }
                )
            )
    path = root / "mini" / "d" / method / digest_of(identity)
    path.mkdir(parents=True)
    write_table(pd.concat(frames, ignore_index=True), path / "records.parquet")
    cost = {"stage": ["edit", "synthesise", "score"], "images": 12, "seconds": [0.12, 0.24, 0.36]}
    memory = {"host_peak_bytes": 2**20, "device_peak_bytes": 0, "dataset": "d", "method": method, "prompt_id": prompt}
    write_table(pd.DataFrame({**cost, **memory}), path / "cost.parquet")
    if features is None:
        features = np.random.default_rng(len(prompt)).normal(size=(2, 8, 2))
    np.savez(path / "features.npz", features=features)
    listing = {
        "title": title or method.title(),
        "default_strength": 1.0,
        "control": control,
        "caveat": caveat,
        "trained": trained,
        "in_loop": [],
        "matched_method": matched.identity["method"] if matched else None,
        "matched_title": matched.listing["title"] if matched else None,
    }
    manifest = {
        "identity": identity,
        "listing": listing,
        "infer": {"ids": IMAGES, "finished": finished, "inputs": "i"},
        "score": {"protocols": protocols},
    }
    return StoredCell(path, manifest)
