"""A folder of results as a bench leaves it, of made-up pictures and values; loaded by its path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from textedit_bench.bench.cell import Cell, ImageSet
from textedit_bench.bench.pictures import strength_name, write_pictures
from textedit_bench.bench.scoring import write_table
from textedit_bench.bench.store import Store
from textedit_bench.controls.cards import CONTROLS
from textedit_bench.prompt import Prompt

STRENGTHS = (0.0, 1.0, 2.0)
METRICS = {"success": True, "clip_score": True, "preservation": True, "lpips": False}
PROTOCOLS: dict[str, dict[str, Any]] = {
    name: {
        "id": f"{name}@v1", "title": name.title().replace("_", " "), "higher_is_better": up, "decimals": 3,
        "scope": "image", "in_loop": False,
    }
    for name, up in METRICS.items()
}  # fmt: skip
PROMPTS = {"blond-hair": "blond hair", "glasses": "glasses"}
SHOWN = ("copy-photo", "real-attribute", "random-direction")


def store_results(
    root: Path,
    *,
    methods: tuple[str, ...] = ("alpha", "beta", "gamma"),
    images: int = 6,
    side: int = 16,
    dataset: str = "ffhq",
    photos: str = "photos",
    seed: int = 0,
    protocol: str = "v1",
    controls: bool = True,
) -> Store:
    """Cells of methods, the later the better at success and the worse at preservation, and of three controls.

    Args:
        root: the results folder.
        methods: registry names, real or not; titles are ``Method Name``.
        images: photos.
        side: of a picture.
        dataset: its name.
        photos: digest of the photos.
        seed: of the cells.
        protocol: version in the metrics' protocol ids.
        controls: whether there are any.
    """
    store, draw = Store(root), np.random.default_rng(3)
    ids = [f"evaluation-{i:05}" for i in range(images)]
    pixels = draw.integers(0, 256, (images, side, side, 3), np.uint8)
    inputs = store.inputs("mini", dataset, {"photos": photos, "seed": seed})
    inputs.path.mkdir(parents=True)
    inputs.publish(
        "infer",
        {"images.zip": lambda path: write_pictures(path, {"photo": pixels, "inversion": pixels // 2}, ids)},
        {"ids": ids},
    )
    image_set = ImageSet("evaluation", images, photos)
    common = {"tier": "mini", "dataset": dataset, "seed": seed, "strengths": STRENGTHS, "images": image_set}
    for prompt_id, words in PROMPTS.items():
        prompt = Prompt(f"a face with {words}", "a face", words)
        for rank, name in enumerate((*methods, *(SHOWN if controls else ()))):
            control = name in CONTROLS
            title = CONTROLS[name].title if control else f"Method {name.title()}"
            cell = Cell(
                **common, method=name, prompt_id=prompt_id, prompt=prompt, networks={"generator": "g"}, weights="w",
                title=title, control=control, trained=True,
            )  # fmt: skip
            colour = draw.integers(0, 256, 3, np.uint8)
            groups = {
                strength_name(s): pixels
                if name == "copy-photo"
                else (pixels // 2 + colour // 4 * int(s > 0)).astype(np.uint8)
                for s in STRENGTHS
            }
            frames = []
            for strength in STRENGTHS:
                for metric in METRICS:
                    values = draw.random(images) * 0.5 + 0.1 * rank * (1 if metric in ("success", "clip_score") else -1)
                    if (name, metric) == ("copy-photo", "lpips"):
                        values = np.zeros(images)
                    frame = {
                        "dataset": dataset, "method": name, "prompt_id": prompt_id, "seed": seed, "image": ids,
                        "strength": strength, "metric": metric, "value": values, "state": "ok",
                        "protocol": f"{metric}@{protocol}", "tier": "mini",
                    }  # fmt: skip
                    frames.append(pd.DataFrame(frame))
            records = pd.concat(frames, ignore_index=True)
            folder = store.cell(cell)
            folder.path.mkdir(parents=True)
            request = {"methods": [name], "datasets": [dataset], "prompts": [], "strengths": list(STRENGTHS)}
            folder.publish(
                "infer",
                {"images.zip": lambda path, groups=groups: write_pictures(path, groups, ids)},
                {
                    "ids": ids,
                    "inputs": inputs.digest,
                    "threads": 2,
                    "request": request,
                    "command": "textedit-bench bench",
                },
                listing=cell.listing(),
            )
            protocols = {m: {**p, "id": p["id"].replace("v1", protocol)} for m, p in PROTOCOLS.items()}
            folder.publish(
                "score",
                {"records.parquet": lambda path, records=records: write_table(records, path)},
                {"protocols": protocols},
            )
    return store
