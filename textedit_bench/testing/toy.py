"""Write toy data sets: a world of grey halves, a card and random weights, read by the loaders of any other data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch
import yaml
from torch import nn

from textedit_bench.models.discriminator import Discriminator
from textedit_bench.models.storage import save_network
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.testing.geometry import TOYS, Geometry
from textedit_bench.testing.networks import ToyClip, ToyEncoder, ToyIdentity
from textedit_bench.worlds.captions import Wording, Words
from textedit_bench.worlds.world import Attribute, Factors, FactorSpace, Render, World

TOY_WORDS = Words(
    ("toy",),
    {
        half: {level: Wording((f"{level} {half}", f"a {level} {half} half")) for level in ("dark", "bright")}
        for half in ("top", "bottom")
    },
)


class ToyWorld(World):
    """Each attribute is the grey level of one half of the picture; width and light tint it."""

    name: ClassVar[str] = "toy"
    subject: ClassVar[str] = "a toy"
    words: ClassVar[str] = f"{__name__}:TOY_WORDS"
    resolution: ClassVar[int] = 16
    space: ClassVar[FactorSpace] = FactorSpace(
        (Attribute("top", ("dark", "bright"), (0.5, 0.5)), Attribute("bottom", ("dark", "bright"), (0.5, 0.5))),
        ("width",),
        ("light",),
    )

    def render(self, factors: Factors) -> Render:
        """Render a batch."""
        side = self.resolution
        images = torch.zeros(len(factors), 3, side, side)
        masks = {}
        for position, attribute in enumerate(self.attributes):
            half = slice(position * side // 2, (position + 1) * side // 2)
            images[:, :, half] = factors.attributes[:, position, None, None, None].float() - 0.5
            masks[attribute.name] = torch.zeros(len(factors), side, side, dtype=torch.bool)
            masks[attribute.name][:, half] = True
        images[:, 0] += 0.3 * factors.identity[:, :1, None] - 0.15
        images[:, 1] += 0.2 * factors.nuisance[:, :1, None] - 0.1
        return Render(images, masks, torch.ones(len(factors), len(self.attributes), dtype=torch.bool))


CARD = "card.yaml"
_CAPTIONS = "captions"
_PHRASES = {
    "evaluation": ("bright top", "bright bottom"),
    "development": ("dark top",),
    "train": ("pale", "blue", "round"),
}
_ASKED = {"bright top": "top=bright", "bright bottom": "bottom=bright", "dark top": "top=dark"}
_SPLITS = {"train": 16, "development": 8, "evaluation": 8}
_CLIP_SIDE = 16


def write_toy_dataset(folder: str | Path, geometry: Geometry = TOYS[0], judges: bool = False) -> Path:
    """Write a tiny data set: a card, and its networks with seeded random weights.

    Args:
        folder: where to; made if needed.
        geometry: sizes of the networks.
        judges: also a procedural world with ground truth and every network that scores edits, so that a bench can run
            (only at the resolution of `ToyWorld`); otherwise the photos are samples of the generator.

    Returns:
        The card's path, for ``load_domain(path)`` or ``textedit-bench bench --dataset path``.

    Raises:
        ValueError: judges were asked for at another resolution.
    """
    if judges and geometry.resolution != ToyWorld.resolution:
        raise ValueError(f"the toy world draws {ToyWorld.resolution} pixels, not {geometry.resolution}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = _guides(geometry) | (_judges(geometry) if judges else {})
        for role, network in networks.items():
            save_network(network, folder / f"{role}.safetensors", f"toy-{role}")
    tier: dict[str, Any] = {
        "resolution": geometry.resolution,
        "networks": {role: f"{role}.safetensors" for role in networks},
        "splits": _SPLITS,
        "prompts": [_prompt(words, split) for split, phrases in _PHRASES.items() for words in phrases],
    }
    if geometry.height is not None:
        tier["height"] = geometry.height
    if judges:
        tier["world"] = f"{ToyWorld.__module__}:{ToyWorld.__name__}"
    else:
        tier["source"] = {"kind": "samples", "captions": _CAPTIONS}
        _write_captions(folder / _CAPTIONS)
    card = {
        "name": geometry.name,
        "title": f"Toy: {geometry.name}",
        "kind": geometry.kind,
        "neutral": ToyWorld.subject,
        "licence": "random weights",
        "tiers": {"mini": tier},
    }
    path = folder / CARD
    path.write_text(yaml.safe_dump(card, sort_keys=False), encoding="utf-8")
    return path


def _write_captions(folder: Path) -> None:
    """Write two texts about every training photo; random networks show nothing that they could be true of."""
    phrases = _PHRASES["train"]
    folder.mkdir(exist_ok=True)
    for number in range(_SPLITS["train"]):
        said = (phrases[number % len(phrases)], phrases[number // len(phrases) % len(phrases)])
        (folder / f"train-{number:05d}.txt").write_text("".join(f"{ToyWorld.subject} with {words}\n" for words in said))


def _prompt(words: str, split: str) -> dict[str, Any]:
    target = f"{ToyWorld.subject} with {words}"
    prompt = {"id": words.replace(" ", "-"), "target": target, "source": ToyWorld.subject, "phrase": words}
    asked = {"attribute": _ASKED[words]} if words in _ASKED else {}
    return {**prompt, **asked, "split": split, "trained": split == "train"}


def _guides(geometry: Geometry) -> dict[str, nn.Module]:
    """Create the networks that methods may use."""
    sizes, size = {}, 4
    while size <= geometry.resolution:
        sizes[size] = geometry.channels
        size *= 2
    generator = Generator(geometry.resolution, geometry.w_dim, geometry.w_dim, n_mlp=2, channels=sizes)
    generator.estimate_w_mean()
    found: dict[str, nn.Module] = {"generator": generator, "clip": ToyClip(geometry.clip_dim, _CLIP_SIDE)}
    if geometry.complete:
        found["encoder"] = ToyEncoder(generator.num_rows, geometry.w_dim)
        found["identity"] = ToyIdentity(6)
        found["discriminator"] = Discriminator(geometry.resolution, channels=sizes)
    return found


def _judges(geometry: Geometry) -> dict[str, nn.Module]:
    """Create the networks for evaluation, which methods must not use."""
    from textedit_bench.worlds.networks.oracle import Oracle
    from textedit_bench.worlds.networks.trunk import FeatureNetwork, PerceptualDistance

    attributes = [(attribute.name, len(attribute.values)) for attribute in ToyWorld.space.attributes]
    side = geometry.resolution
    return {
        "judge_clip": ToyClip(geometry.clip_dim, _CLIP_SIDE),
        "judge_identity": ToyIdentity(6),
        "perceptual": PerceptualDistance("plain", [4, 4]),
        "features": FeatureNetwork("plain", [4, 4], 8, side),
        "oracle": Oracle("plain", [4, 4], attributes, side),
        "second_oracle": Oracle("residual", [4, 4], attributes, side),
    }
