"""Read and write statistics of a reference set as ``.npz``, compatible with other FID packages.

Read: ``mu`` and ``sigma`` as stored by clean-fid, pytorch-fid and torch-fidelity, and ``feats`` as in clean-fid's KID
files. Written: the same keys, and in addition what those files lack: number of images, weights, resize rule and source.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from textedit_bench.errors import UserError
from textedit_bench.files import write_atomically
from textedit_bench.metrics.frechet import frechet_distance


@dataclass(frozen=True)
class SetStatistics:
    """The stored statistics of a set of images.

    Attributes:
        mu: mean feature, float64 [d].
        sigma: covariance (n - 1), float64 [d, d].
        n: number of images; None if unknown.
        weights_sha256: digest of the feature network's weights; ``""`` if unknown.
        resize: the named resize rule; ``""`` if unknown.
        source: description of the images; ``""`` if unknown.
        features: the features themselves, float32 [n, d], which KID and precision/recall need; or None.
    """

    mu: NDArray[np.float64]
    sigma: NDArray[np.float64]
    n: int | None = None
    weights_sha256: str = ""
    resize: str = ""
    source: str = ""
    features: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, features: NDArray[np.floating], *, weights_sha256: str, resize: str, source: str) -> SetStatistics:
        """Compute the statistics of features [n, d], which are kept too."""
        rows = np.asarray(features, dtype=np.float64)
        if rows.ndim != 2 or len(rows) < 2 or not np.isfinite(rows).all():
            raise ValueError(f"features must be finite, of shape [n >= 2, d], got {rows.shape}")
        kept = np.asarray(features, dtype=np.float32)
        sigma = np.atleast_2d(np.cov(rows, rowvar=False))
        return cls(rows.mean(0), sigma, len(rows), weights_sha256, resize, source, kept)

    def distance(self, other: SetStatistics) -> float:
        """Compute the Frechet distance to another set.

        Raises:
            ValueError: the weights or the resize rules are known and differ.
        """
        for name in ("weights_sha256", "resize"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine and theirs and mine != theirs:
                raise ValueError(f"statistics made with different {name}: {mine} and {theirs}")
        return frechet_distance(self.mu, self.sigma, other.mu, other.sigma)

    def save(self, path: str | Path) -> None:
        """Write a ``.npz`` atomically."""
        path = Path(path)
        arrays: dict[str, NDArray[np.generic]] = {"mu": self.mu, "sigma": self.sigma}
        if self.n is not None:
            arrays["n"] = np.array(self.n)
        for name in ("weights_sha256", "resize", "source"):
            arrays[name] = np.array(getattr(self, name))
        if self.features is not None:
            arrays["feats"] = self.features

        def write(temporary: Path) -> None:
            with temporary.open("wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]

        write_atomically(path, write)


def load_statistics(path: str | Path) -> SetStatistics:
    """Read statistics written here or by another FID package; pickled content is not executed.

    Raises:
        UserError: the file is missing, is not an ``.npz``, or has neither ``mu`` and ``sigma`` nor ``feats``.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            data = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise UserError(f"statistics {path}: cannot be read as .npz ({error})") from error
    features = data.get("feats")
    if "mu" not in data or "sigma" not in data:
        if features is None:
            held = ", ".join(sorted(data)) or "nothing"
            raise UserError(f"statistics {path}: expected mu and sigma, or feats; the file holds {held}")
        rows = features.astype(np.float64)
        data["mu"], data["sigma"] = rows.mean(0), np.atleast_2d(np.cov(rows, rowvar=False))
        data.setdefault("n", np.array(len(rows)))
    mu, sigma = data["mu"].astype(np.float64), data["sigma"].astype(np.float64)
    if mu.ndim != 1 or sigma.shape != (len(mu), len(mu)) or not (np.isfinite(mu).all() and np.isfinite(sigma).all()):
        raise UserError(f"statistics {path}: mu {mu.shape} and sigma {sigma.shape} are no mean and covariance")

    def text(name: str) -> str:
        return str(data[name]) if name in data else ""

    return SetStatistics(
        mu,
        sigma,
        int(data["n"]) if "n" in data else None,
        text("weights_sha256"),
        text("resize"),
        text("source"),
        None if features is None else features.astype(np.float32),
    )
