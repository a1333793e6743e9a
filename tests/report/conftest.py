"""Stored cells with known values, for figures worked out by hand; a whole store of made-up pictures and values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from textedit_bench.bench.cell import Manifest, digest_of
from textedit_bench.bench.pictures import strength_name, write_pictures
from textedit_bench.bench.scoring import write_table
from textedit_bench.bench.store import Store
from textedit_bench.report.collect import ComparableCells, StoredCell

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

    def make(cells: list[StoredCell], notes: tuple[str, ...] = ()) -> ComparableCells:
        inputs = tmp_path / "inputs"
        inputs.mkdir(exist_ok=True)
        draw = np.random.default_rng(5)
        arrays = {name: draw.normal(size=(n, 2)) for name, n in (("reference", 9), ("inversion", 8), ("photo", 8))}
        np.savez(inputs / "features.npz", **arrays)
        return ComparableCells("d", cells, inputs, list(notes))

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
    attribute: str | None = "hair=b",
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
        "prompt": {"target": f"a face with {prompt}", "phrase": phrase or prompt, "attribute": attribute},
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
        "matched_method": matched.identity.method if matched else None,
        "matched_title": matched.listing.title if matched else None,
    }
    manifest = {
        "identity": identity,
        "listing": listing,
        "infer": {"ids": IMAGES, "finished": finished, "inputs": "i"},
        "score": {"protocols": protocols},
    }
    return StoredCell(path, Manifest.model_validate(manifest))


STRENGTHS = [0.0, 0.5, 1.0, 2.0]
ATTRIBUTES = ("hair", "hat", "age")
IMAGE_METRICS = {
    "success": ("Success", True), "preservation": ("Preservation", True), "clip_score": ("CLIP score", True),
    "clip_direction": ("CLIP direction", True), "identity": ("Identity", True),
    "lpips_inversion": ("LPIPS, to inversion", False), **{f"changed_{a}": (f"Changed: {a}", False) for a in ATTRIBUTES},
}  # fmt: skip
STORE_PROTOCOLS: dict[str, dict[str, Any]] = {
    name: {
        "id": f"{name}@v1",
        "title": title,
        "higher_is_better": up,
        "decimals": 3,
        "scope": "image",
        "in_loop": False,
    }
    for name, (title, up) in IMAGE_METRICS.items()
}
STORE_PROTOCOLS["fid_real"] = {
    "id": "fid@v1", "title": "FID, to real", "higher_is_better": False, "decimals": 2, "scope": "set", "in_loop": False,
}  # fmt: skip


def make_store(
    root: Path,
    *,
    methods: tuple[str, ...] = ("Alpha", "Beta & <b>"),
    prompts: int = 3,
    images: int = 6,
    side: int = 8,
    dataset: str = "d",
    words: str = "",
) -> Store:
    """Cells of every method and one control; a method's pictures drift towards its colour with the strength."""
    draw = np.random.default_rng(7)
    ids = [f"image-{i}" for i in range(images)]
    photos = _photos(images, side)
    inputs = root / "mini" / dataset / "_inputs" / "i"
    inputs.mkdir(parents=True)
    write_pictures(inputs / "images.zip", {"photo": photos, "inversion": photos // 2 + 40}, ids)
    features = {
        name: draw.normal(size=(n, 2)) for name, n in (("reference", 9), ("inversion", images), ("photo", images))
    }
    np.savez(inputs / "features.npz", **features)
    (inputs / "manifest.json").write_text("{}")
    for m, method in enumerate((*methods, "Control")):
        for p in range(prompts):
            _cell(root, dataset, method, p, m, ids, photos, draw, words)
    return Store(root)


def _photos(images: int, side: int) -> np.ndarray:
    ramp = np.linspace(40, 215, side)
    grid = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], np.full((side, side), 128.0)), -1)
    return np.stack([np.roll(grid, k, axis=-1) for k in range(images)]).astype(np.uint8)


def _cell(
    root: Path, dataset: str, method: str, p: int, m: int, ids: list[str], photos: np.ndarray, draw: Any, words: str
) -> None:
    control = method == "Control"
    name = f"m{m}"
    attribute = ATTRIBUTES[p % len(ATTRIBUTES)]
    identity = {
        "dataset": dataset, "tier": "mini", "method": name, "weights": "w", "networks": {"generator": "g"},
        "images": {"split": "evaluation", "count": len(ids), "digest": "abc"}, "prompt_id": f"p{p}",
        "prompt": {
            "target": f"a face with {words}{p}", "phrase": f"{words or 'words '}{p}", "group": f"group {p % 2}",
            "attribute": f"{attribute}=x",
        },
        "seed": 0, "strengths": STRENGTHS, "settings": {}, "matched_to": None,
    }  # fmt: skip
    path = root / "mini" / dataset / name / digest_of(identity)
    path.mkdir(parents=True)
    colour = np.eye(3)[m % 3] * 255
    groups = {
        strength_name(s): (photos * (1 - s / 4) + colour * (0 if control else s / 4)).astype(np.uint8)
        for s in STRENGTHS
    }
    write_pictures(path / "images.zip", groups, ids)
    frames = []
    for strength in STRENGTHS:
        for metric in IMAGE_METRICS:
            values = draw.random(len(ids)) * 0.3 + 0.2 * (m + 1) * strength * (not control)
            values = (values > 0.5) if metric == "success" or metric.startswith("changed_") else 1 - 0.3 * values
            frames.append(
                pd.DataFrame(
                    {
                        "dataset": dataset,
                        "method": name,
                        "prompt_id": f"p{p}",
                        "seed": 0,
                        "image": ids,
                        "strength": strength,
                        "metric": metric,
                        "value": np.asarray(values, float),
                        "state": "ok",
                        "protocol": f"{metric}@v1",
                        "tier": "mini",
                    }
                )
            )
    write_table(pd.concat(frames, ignore_index=True), path / "records.parquet")
    cost = {"stage": ["edit", "synthesise", "score"], "images": len(ids), "seconds": [0.01 * 9**m, 0.2, 0.3]}
    memory = {
        "host_peak_bytes": 2**28,
        "device_peak_bytes": 0,
        "dataset": dataset,
        "method": name,
        "prompt_id": f"p{p}",
    }
    write_table(pd.DataFrame({**cost, **memory}), path / "cost.parquet")
    np.savez(path / "features.npz", features=draw.normal(size=(len(STRENGTHS), len(ids), 2)))
    manifest = {
        "schema": 1,
        "identity": identity,
        "digest": path.name,
        "listing": {
            "title": method, "default_strength": 1.0, "control": control, "caveat": "", "trained": p < 2,
            "matched_method": None, "matched_title": None,
        },
        "infer": {
            "ids": ids, "finished": "2026-01-01T00:00:00+00:00", "inputs": "i", "command": "textedit-bench bench -m x",
            "space": "w+", "device": "cpu", "threads": 2, "environment": {"git_revision": "abc"}, "files": {},
        },
        "score": {"protocols": STORE_PROTOCOLS, "finished": "2026-01-01T00:01:00+00:00", "files": {}},
    }  # fmt: skip
    (path / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module", name="make_store")
def make_store_():
    """The function itself, for stores of another size."""
    return make_store
