"""Measure CPU time per edited picture of 1024 pixels, networks excluded.

``python -m textedit_workshop.perf.edit_cost`` writes results/reference/full/edit_cost.csv, from which the cost page is
made. "Before" is the form that the bench used up to 0.1: the package's own MTCNN on every edit, and Pillow's PNG
encoder. The picture is a real face in FFHQ's frame, once as it is and once with grain.
"""

from __future__ import annotations

import argparse
import csv
import io
import platform
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image
from skimage import data

from textedit_bench.bench.scoring import _records
from textedit_bench.data.pixels import encode_png, to_images
from textedit_bench.metrics.column import Column
from textedit_bench.metrics.images import digest_of
from textedit_bench.models.alignment import align_face
from textedit_bench.models.face_alignment import MtcnnFinder
from textedit_bench.models.face_presence import MtcnnPresence
from textedit_workshop import ROOT

TARGET = ROOT / "results" / "reference" / "full" / "edit_cost.csv"
SIDE, STRENGTHS, METRICS, BATCH = 1024, 9, 25, 4
REPEATS = 15


def milliseconds(call: Callable[[], object], each: int = 1) -> float:
    """Measure CPU time of a call over all threads, divided by ``each``: the best of several."""
    call()
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        call()
        times.append(time.process_time() - began)
    return 1e3 * min(times) / each


def pillow(picture: np.ndarray) -> bytes:
    """Encode a PNG as before."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def records() -> object:
    """Create the records of a batch at every strength."""
    names = [f"metric_{i}" for i in range(METRICS)]
    suite = SimpleNamespace(protocols={name: SimpleNamespace(id=name) for name in names})
    cell = SimpleNamespace(dataset="d", method="m", prompt_id="p", seed=0, tier="full", strengths=range(STRENGTHS))
    columns = [{name: Column.of(np.zeros(BATCH)) for name in names} for _ in range(STRENGTHS)]
    return _records(cell, [str(i) for i in range(BATCH)], suite, columns)  # type: ignore[arg-type]


def rows() -> list[dict[str, object]]:
    """Return the measurements: work, milliseconds before and now, kilobytes before and now for files."""
    face = np.asarray(align_face(Image.fromarray(data.astronaut()), SIDE))
    grain = np.random.default_rng(0).normal(0, 3, face.shape)
    pictures = [face, (face + grain).round().clip(0, 255).astype(np.uint8)]
    images = to_images(np.stack([face] * BATCH))
    finder, presence = MtcnnFinder(), MtcnnPresence()
    other = face.copy()
    search = milliseconds(lambda: finder(images[:1]))
    sizes = [np.mean([len(encode(p)) for p in pictures]) / 1e3 for encode in (pillow, encode_png)]
    equal = milliseconds(lambda: [np.array_equal(face, other) for _ in range((STRENGTHS + 1) // 2)])
    digest, table = milliseconds(lambda: digest_of(face)), milliseconds(records, BATCH * STRENGTHS)
    return [
        _row("face presence", search, milliseconds(lambda: presence(images), BATCH)),
        _row("PNG", *(milliseconds(lambda e=e: [e(p) for p in pictures], 2) for e in (pillow, encode_png)), *sizes),  # type: ignore[misc]
        _row("digest", digest, digest),
        _row("comparison with the other strengths", equal, equal),
        _row("records", table, table),
        _row("landmarks of a photo, once", search, search),
    ]


def _row(work: str, before: float, now: float, before_kb: float = 0.0, now_kb: float = 0.0) -> dict[str, object]:
    figures = {"before_ms": before, "now_ms": now, "before_kb": before_kb, "now_kb": now_kb}
    return {"work": work, **{name: f"{value:.3g}" if value else "" for name, value in figures.items()}}


def _processor() -> str:
    """Return the processor's name, if known."""
    known = Path("/proc/cpuinfo")
    lines = known.read_text().splitlines() if known.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def main() -> None:
    """Measure and write."""
    torch.set_num_threads(2)
    found = rows()
    with TARGET.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*found[0], "processor"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "processor": _processor()} for row in found)


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    main()
