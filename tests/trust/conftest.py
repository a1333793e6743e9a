"""A benchmark that other processes can open too: a data set of files and a method that is really installed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from textedit_bench.bench.request import BenchRequest
from textedit_bench.testing import write_toy_dataset

METHOD = "trust-nudge"
MODULE = """
import torch
from textedit_bench.editor import Editor
from textedit_bench.info import MethodInfo

CARD = MethodInfo("trust-nudge", "Nudge", "", "", "trust_nudge:Nudge", "w+", "none", settings={"size": 1.0})


class Nudge(Editor):
    info = CARD

    def edit(self, latents, prompt, strength=1.0):
        if strength == 0:
            return latents
        step = len(prompt.words) / 50 + 0.1 * torch.randn(latents.codes.shape[-1])
        return latents.with_codes(latents.codes + strength * self.settings["size"] * step)
"""
PROMPTS = (
    "pale top",
    "dark bottom",
    "wide arch",
    "green door",
    "soft light",
    "old brick",
    "tall mast",
    "thin rim",
    "long tail",
)
PROMPTS += ("deep hull", "bright top", "bright bottom")


@dataclass(frozen=True)
class House:
    """Where everything lies.

    Attributes:
        card: of the data set.
        environment: in which another process finds the method.
    """

    card: Path
    environment: dict[str, str]

    def request(self, results: Path, prompts: int = 2, **options: Any) -> BenchRequest:
        """A bench of the method with all its controls: six rows, so up to six cells per prompt."""
        given = {"images": 2, "strengths": (0.0, 1.0), "threads": 1, "tier": "mini", **options}
        words = PROMPTS[-prompts:]
        return BenchRequest(methods=(METHOD,), datasets=(str(self.card),), prompts=words, results=results, **given)


@pytest.fixture(scope="session")
def _files(tmp_path_factory):
    root = tmp_path_factory.mktemp("trust")
    info = root / "site" / "trust_nudge-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trust-nudge\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[textedit_bench.methods]\n{METHOD} = trust_nudge:CARD\n")
    (root / "site" / "trust_nudge.py").write_text(MODULE)
    return root / "site", write_toy_dataset(root / "toy", judges=True), root / "home"


@pytest.fixture
def house(_files, monkeypatch) -> House:
    site, card, home = _files
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    given = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "TEXTEDIT_BENCH_HOME": str(home), "PYTHONSAFEPATH": "1"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(site)
    return House(card, {**os.environ, **given})


@pytest.fixture(autouse=True)
def _no_cluster_of_someone_else(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
