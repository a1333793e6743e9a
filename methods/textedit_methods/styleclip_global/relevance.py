"""Relevance of every editable channel for CLIP: a matrix from a sweep, or gradients without one.

A row of the matrix is the mean direction in which CLIP's unit embedding moves with a channel. A short way gives the
derivative J_c instead; its product with a text direction for ALL channels is one vector-Jacobian product, and random
probes v give its length, since the mean of <J_c, v>^2 over standard normal v is |J_c|^2.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.devices import sent
from textedit_bench.errors import CheckpointError
from textedit_bench.files import write_text
from textedit_bench.models.storage import FORMAT, is_safetensors, read_tensors, write_tensors
from textedit_bench.stylespace.released import STATISTICS, read_statistics
from textedit_bench.stylespace.resumable import resumable_sweep
from textedit_bench.stylespace.statistics import Sampling, Statistics, editable, measure, sample_styles
from textedit_methods.styleclip_global.released import read_rows

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import ClipModel
    from textedit_bench.models.stylegan2 import Generator

KIND = "styleclip-global-relevance"
PROBE_SEED = 11
_PIXELS_AT_ONCE = 1 << 15
"""Pixels whose graph is kept for all probes; eight pictures of 64 pixels, one of 256 or more."""
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes there, KiB elsewhere


@dataclass(frozen=True)
class Relevance:
    """The matrix computed by `fit` and used by edits.

    Attributes:
        rows: [N, d]; unit vectors, or zeros for a channel without any effect or never swept.
        statistics: of the same N channels.
        facts: how it was made, as plain JSON values; {} for released files.
    """

    rows: Tensor
    statistics: Statistics
    facts: Mapping[str, Any] = field(default_factory=dict)


def save_relevance(relevance: Relevance, path: str | Path) -> None:
    """Write rows in 8 bits with one scale per row, statistics in half precision.

    Rounding moves a row by about 1 % of its length at random, its product with a text direction by under 0.002.
    """
    tensors = {
        "rows": relevance.rows.cpu(),
        "mean": relevance.statistics.mean.cpu(),
        "std": relevance.statistics.std.cpu(),
    }
    header = {"format": FORMAT, "kind": KIND, "facts": json.dumps(dict(relevance.facts), sort_keys=True)}
    write_tensors(tensors, path, header, "int8")


def load_relevance(
    path: str | Path, widths: list[tuple[int, bool]], measured: Callable[[], Statistics] | None = None
) -> Relevance:
    """Load our matrix, or a released ``fs3.npy`` with its ``S_mean_std`` in the same folder.

    Args:
        path: our file, ``fs3.npy``, or the folder that holds it.
        widths: channels and is-toRGB of the generator's style layers.
        measured: gives the statistics where a released matrix comes without ``S_mean_std``; then that is no error.

    Raises:
        CheckpointError: a file is missing, damaged, not finite, or made for another generator.
    """
    path = Path(path)
    channels = sum(width for width, is_rgb in widths if not is_rgb)
    if path.is_dir() or path.suffix == ".npy":
        matrix = path / "fs3.npy" if path.is_dir() else path
        rows = read_rows(matrix, widths)
        beside = matrix.with_name(STATISTICS)
        if measured is not None and not beside.is_file():
            return Relevance(rows, measured())
        kept = torch.cat([torch.full((width,), not is_rgb) for width, is_rgb in widths])
        mean, std = read_statistics(beside, [width for width, _ in widths])
        return Relevance(rows, Statistics(mean[kept], std[kept]))
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file")
    if not is_safetensors(path):
        raise CheckpointError(f"{path}: neither our relevance file (safetensors) nor a released fs3.npy")
    tensors, header = read_tensors(path)
    if header.get("kind") != KIND or not {"rows", "mean", "std"} <= set(tensors):
        raise CheckpointError(f"{path}: holds no channel relevances (kind {header.get('kind', 'none')!r})")
    rows, mean, std = (tensors[name].float() for name in ("rows", "mean", "std"))
    if rows.ndim != 2 or len(rows) != channels or mean.shape != (channels,) or std.shape != (channels,):
        raise CheckpointError(
            f"{path}: relevances of {len(rows)} channels; this generator has {channels} editable ones. "
            "They belong to one generator: make them again with train"
        )
    if not all(torch.isfinite(value).all() for value in (rows, mean, std)):
        raise CheckpointError(f"{path}: holds values that are not finite")
    try:
        facts = json.loads(header.get("facts", "{}"))
    except ValueError as error:
        raise CheckpointError(f"{path}: its header is damaged ({error})") from error
    return Relevance(rows, Statistics(mean, std), facts if isinstance(facts, dict) else {})


def sampling_of(settings: Mapping[str, Any]) -> Sampling:
    """Return how the statistics' samples are drawn."""
    return Sampling(
        samples=settings["samples"], truncation=settings["truncation"], truncated_rows=settings["truncated_rows"]
    )


def make_relevance(
    domain: Domain, settings: Mapping[str, Any], folder: Path, *, resume: bool = True, minutes: float = 0.0
) -> Relevance:
    """Compute statistics and sweep of a domain's generator.

    Args:
        settings: the card's training settings.
        folder: parent of the run's folder: ``sweep.safetensors`` keeps what is done, ``cost.json`` says what it took.
        resume: go on from there.
        minutes: stop after that long; 0 means never.

    Raises:
        OutOfTime: the deadline came first; the same call goes on.
    """
    from textedit_bench.training.run import run_folder  # Lightning: seconds that no edit should wait for

    facts = {
        "method": "styleclip-global",
        "settings": dict(settings),
        "networks": {role: domain.digest(role) for role in ("generator", "clip")},
    }
    place = run_folder(folder, f"styleclip-global/{domain.name}-{domain.tier}", facts)
    place.mkdir(parents=True, exist_ok=True)
    swept = resumable_sweep(
        domain.generator,
        domain.clip,
        sampling_of(settings),
        images=settings["images"],
        width=settings["width"],
        variant=settings["sweep"],
        state=place / "sweep.safetensors",
        resume=resume,
        minutes=minutes,
    )
    cost = {
        "seconds": round(swept.seconds, 2),
        "renders": 2 * settings["images"] * len(swept.statistics.mean),
        "rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT,
        "device": str(domain.device),
        "threads": torch.get_num_threads(),
    }
    write_text(place / "cost.json", json.dumps(cost, indent=2) + "\n")
    return Relevance(swept.rows, swept.statistics, facts)


def probes(count: int, dim: int) -> Tensor:
    """Draw random orthogonal probes [p, d], scaled so that the mean of squared products estimates a squared length.

    With as many probes as dimensions the estimate is exact; orthogonal ones estimate better than independent ones.
    """
    count = min(count, dim)
    stream = torch.Generator().manual_seed(PROBE_SEED)
    basis, _ = torch.linalg.qr(torch.randn(dim, count, generator=stream, dtype=torch.float64))
    return (basis.T * dim**0.5).float()


def products(generator: Generator, clip: ClipModel, styles: Tensor, vectors: Tensor) -> Tensor:
    """Compute <J_c, v> of every editable channel c and vector v at each image, [n, N, p].

    Args:
        styles: where the derivative is taken, [n, styles].
        vectors: [p, d] in CLIP's space.
    """
    positions = sent(editable(generator), styles.device)
    found = []
    with torch.inference_mode(False), torch.enable_grad():
        codes = styles.detach().clone().requires_grad_(True)
        images = generator.synthesize_style(codes, noise="const")
        unit = F.normalize(clip.encode_image(images, preprocessing="correct"), dim=-1)
        for vector in vectors:
            (gradient,) = torch.autograd.grad((unit @ vector).sum(), [codes], retain_graph=True)
            found.append(gradient[:, positions])
    return torch.stack(found, dim=-1)


class GradientRelevance:
    """Estimates, for any text direction, the products with the sweep's rows.

    Args:
        generator, clip: frozen.
        sampling: of the statistics and the base images, as for the sweep.
        images: base images.
        probe_count: random probes for the lengths.
    """

    def __init__(
        self, generator: Generator, clip: ClipModel, sampling: Sampling, *, images: int, probe_count: int
    ) -> None:
        self._generator, self._clip = generator, clip
        self.statistics = measure(generator, editable(generator), sampling)
        self._points = sample_styles(generator, sampling, 0, images)
        vectors = probes(probe_count, clip.embed_dim)
        sketch = self._products(vectors)
        self._lengths = sketch.square().mean(-1).sqrt()  # [n, N]
        self._mean_length = self._unit_mean(sketch).square().mean(-1).sqrt()  # [N]

    def _products(self, vectors: Tensor) -> Tensor:
        vectors = sent(vectors, self._points.device, self._points.dtype)
        at_once = max(1, _PIXELS_AT_ONCE // self._generator.resolution**2)
        parts = self._points.split(at_once)
        return torch.cat([products(self._generator, self._clip, part, vectors) for part in parts])

    def _unit_mean(self, values: Tensor) -> Tensor:
        """Average products with unit derivatives over images; a channel without effect on an image counts as 0."""
        lengths = self._lengths.unsqueeze(-1)
        return torch.where(lengths > 0, values / lengths, torch.zeros_like(values)).mean(0)

    def projection(self, direction: Tensor) -> Tensor:
        """Compute the relevance of each channel for a unit direction [d]: [N], about in [-1, 1]."""
        products_ = self._unit_mean(self._products(direction.unsqueeze(0)))[:, 0]
        lengths = self._mean_length
        return torch.where(lengths > 0, products_ / lengths, torch.zeros_like(products_))
