"""What a stage must have left: pictures and codes of the right shapes, checkpoints of the right step."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from textedit_bench.bench.cell import MANIFEST
from textedit_bench.data.decode import decode
from textedit_workshop.rehearsal.sizes import Sizes

STRENGTHS = 2
"""Of an edit: none, and the published one."""
STEPS = 2
"""Optimiser steps of a training that was stopped once and resumed."""


def check_cells(results: Path, dataset: str, method: str, sizes: Sizes, images: int) -> str:
    """Every cell of a method has all its pictures and codes of the generator's shapes, and scores.

    Raises:
        AssertionError: something is missing or has another shape.
    """
    folder = results / "full" / dataset / method
    cells = [path for path in folder.iterdir() if (path / MANIFEST).is_file()] if folder.is_dir() else []
    assert cells, f"no finished cell in {folder}"
    seen = []
    for cell in cells:
        _check_pictures(cell, sizes, STRENGTHS * images)
        seen.append(
            "none"
            if _told(cell / MANIFEST, "infer", "space") == "image"
            else _check_codes(cell / "edits.safetensors", sizes, images)
        )
    return f"{method}: {len(cells)} cell, {sizes.resolution} px, codes {' '.join(sorted(set(seen)))}"


def check_generated(results: Path, dataset: str, method: str, sizes: Sizes, images: int) -> str:
    """The cells of a method that generates have all their pictures, and scores.

    Raises:
        AssertionError: something is missing or has another shape.
    """
    folder = results / "full" / dataset / "_generated"
    cells = [path.parent for path in folder.glob(f"*/{MANIFEST}") if _told(path, "identity", "method") == method]
    assert cells, f"no finished cell of {method} in {folder}"
    for cell in cells:
        _check_pictures(cell, sizes, images)
    return f"{method}: {len(cells)} cell, {sizes.resolution} px, generated"


def _told(manifest: Path, section: str, field: str) -> str:
    return str(json.loads(manifest.read_text(encoding="utf-8"))[section][field])


def _check_pictures(cell: Path, sizes: Sizes, wanted: int) -> None:
    assert (cell / "records.parquet").is_file(), f"{cell} has no scores"
    with zipfile.ZipFile(cell / "images.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".png")]
        assert len(names) == wanted, f"{cell}: {len(names)} pictures instead of {wanted}"
        for name in names:
            size = decode(archive.read(name)).size
            assert size == (sizes.resolution,) * 2, f"{cell}: {name} has {size} pixels"


def _check_codes(path: Path, sizes: Sizes, images: int) -> str:
    from safetensors import safe_open

    shapes = set()
    w_plus = (STRENGTHS, images, sizes.rows, sizes.w_dim)
    styles = (STRENGTHS, images, sum(channels for channels, _ in sizes.style_layers))
    with safe_open(path, "np") as file:
        for name in file.keys():  # noqa: SIM118 - not a dict
            shape = tuple(file.get_slice(name).get_shape())
            assert shape in (w_plus, styles), f"{path}: {name} has shape {shape}, neither {w_plus} nor {styles}"
            shapes.add(shape)
    assert len(shapes) == 1, f"{path}: codes of several shapes {sorted(shapes)}"
    return "x".join(map(str, shapes.pop()))


def check_stopped(runs: Path) -> str:
    """The first piece of a training made one step and kept it.

    Raises:
        AssertionError: it did not.
    """
    return _check_steps(runs, 1)


def check_resumed(runs: Path, weights: Path) -> str:
    """The second piece went on from the first, and wrote weights.

    Args:
        runs: folder of the runs.
        weights: the file; networks of one prompt each lie in a folder of that name.

    Raises:
        AssertionError: it did not.
    """
    files = [weights] if weights.is_file() else sorted(weights.with_suffix("").glob("*.safetensors"))
    assert files, f"no weights at {weights}"
    megabytes = sum(file.stat().st_size for file in files) / 1e6
    return f"{_check_steps(runs, STEPS)}, weights {megabytes:.0f} MB"


def _check_steps(runs: Path, wanted: int) -> str:
    import torch

    found = sorted(runs.rglob("last.ckpt"))
    assert len(found) == 1, f"{len(found)} checkpoints below {runs}, one was expected"
    content = torch.load(found[0], map_location="cpu", weights_only=True, mmap=True)
    epochs = content["epoch"] + 1
    assert epochs == wanted, f"{found[0]} is of epoch {epochs}, {wanted} was expected"
    assert content["optimizer_states"], f"{found[0]} holds no optimiser state"
    return f"step {wanted} of {STEPS}"


def check_sweep(runs: Path, before: Path) -> str:
    """A sweep stopped by time left its state, further on than the state of an earlier stop.

    Args:
        runs: folder of the runs.
        before: a file in which the position of the last stop is kept.

    Raises:
        AssertionError: it did not.
    """
    from safetensors import safe_open

    found = sorted(runs.rglob("sweep.safetensors"))
    assert len(found) == 1, f"{len(found)} states below {runs}, one was expected"
    with safe_open(found[0], "np") as file:
        now = [int(file.get_tensor(name)) for name in ("layer", "image", "row")]
    then = [int(part) for part in before.read_text().split()] if before.is_file() else [0, 0, 0]
    assert now > then, f"{found[0]}: stands at {now}, it stood at {then} before"
    before.parent.mkdir(parents=True, exist_ok=True)
    before.write_text(" ".join(map(str, now)))
    return f"layer {now[0]}, image {now[1]}, channel {now[2]}"
