"""A whole store on disk with made-up methods, prompts and pictures; nothing is trained or judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from textedit_bench.bench.cell import digest_of
from textedit_bench.bench.pictures import strength_name, write_pictures
from textedit_bench.bench.scoring import write_table
from textedit_bench.bench.store import Store

STRENGTHS = [0.0, 0.5, 1.0, 2.0]
ATTRIBUTES = ("hair", "hat", "age")
IMAGE_METRICS = {
    "success": ("Success", True), "preservation": ("Preservation", True), "clip_score": ("CLIP score", True),
    "clip_direction": ("CLIP direction", True), "identity_inversion": ("Identity, to inversion", True),
    "lpips_inversion": ("LPIPS, to inversion", False), **{f"changed_{a}": (f"Changed: {a}", False) for a in ATTRIBUTES},
}  # fmt: skip
PROTOCOLS: dict[str, dict[str, Any]] = {
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
PROTOCOLS["fid_real"] = {
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
            "title": method, "default_strength": 1.0, "control": control, "caveat": "", "trained": p < 2, "in_loop": [],
            "matched_method": None, "matched_title": None,
        },
        "infer": {
            "ids": ids, "finished": "2026-01-01T00:00:00+00:00", "inputs": "i", "command": "textedit-bench bench -m x",
            "space": "w+", "device": "cpu", "threads": 2, "environment": {"git_revision": "abc"}, "files": {},
        },
        "score": {"protocols": PROTOCOLS, "finished": "2026-01-01T00:01:00+00:00", "files": {}},
    }  # fmt: skip
    (path / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module", name="make_store")
def make_store_():
    """The function itself, for stores of another size."""
    return make_store
