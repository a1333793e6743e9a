"""Small random networks with a vocabulary of a domain's prompts, for conformance checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

from textedit_bench.models.damsm_image import ImageEncoder
from textedit_bench.models.storage import save_network
from textedit_bench.models.vgg import VggFeatures
from textedit_bench.testing.miniature import write_reader
from textedit_methods.manigan.network import Correction, MainModule

if TYPE_CHECKING:
    from textedit_bench.domain import Domain

_WIDTH = 8


def write(folder: Path, domain: Domain) -> dict[str, str]:
    """Write modules of few channels and what they need; return the settings that name the files."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = {
            "generator": MainModule(features=1, words=_WIDTH, condition=4, noise=4, residuals=1),
            "correction": Correction(features=1, words=_WIDTH, residuals=1),
            "image_encoder": ImageEncoder(_WIDTH),
        }
        torch.save(VggFeatures(2, 2).state_dict(), folder / "vgg.pth")
    paths = {name: save_network(made, folder / f"{name}.safetensors", name) for name, made in networks.items()}
    named = {name: str(path) for name, path in paths.items()}
    return {**named, "vgg": str(folder / "vgg.pth"), **write_reader(folder, domain, _WIDTH)}
