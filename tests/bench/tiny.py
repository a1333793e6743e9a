"""A whole benchmark in seconds: a toy world, random networks, a real StyleGAN2 generator, methods that misbehave.

`install` puts it in place of the installed plugins. Run as a script it benches, for tests that kill the process:
``python tiny.py RESULTS CARD [METHOD]``.
"""

from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from textedit_bench.controls.cards import CONTROLS as CONTROL_CARDS
from textedit_bench.domain import Domain, Photos
from textedit_bench.editor import Editor, Latents, MethodInfo, Prompt
from textedit_bench.models import Generator
from textedit_bench.worlds.world import Attribute, Factors, FactorSpace, Render, World

SIDE = 16
ATTRIBUTES = (Attribute("hair", ("dark", "blond"), (0.5, 0.5)), Attribute("hat", ("none", "cap"), (0.5, 0.5)))
ROLES = ("generator", "encoder", "clip", "judge_clip", "identity", "judge_identity", "perceptual", "features", "oracle")
STRENGTHS = (0.0, 1.0, 2.0)
CARD = f"""
name: tiny
title: Tiny
kind: face
neutral: a face
tiers:
  mini:
    resolution: {SIDE}
    world: bench_tiny:TinyWorld
    networks: {{{", ".join(f"{role}: {role}" for role in ROLES)}}}
    splits: {{train: 12, evaluation: 8}}
    prompts:
      - {{id: blond, target: a face with blond hair, phrase: blond hair, attribute: hair=blond, trained: true}}
      - {{id: dark, target: a face with dark hair, phrase: dark hair, attribute: hair=dark, trained: true}}
      - {{id: cap, target: a face with a cap, phrase: cap, attribute: hat=cap}}
"""


class TinyWorld(World):
    """Each attribute is the grey level of one half of the picture."""

    name = "tiny"
    subject = "a face"
    resolution = SIDE
    space = FactorSpace(ATTRIBUTES, ("width",), ("light",))

    def render(self, factors: Factors) -> Render:
        images = torch.zeros(len(factors), 3, SIDE, SIDE)
        for position in range(2):
            half = slice(position * SIDE // 2, (position + 1) * SIDE // 2)
            images[:, :, half] = factors.attributes[:, position, None, None, None].float() - 0.5
        images[:, 0] += 0.3 * factors.identity[:, :1, None]
        visible = torch.ones(len(factors), 2, dtype=torch.bool)
        return Render(images, {}, visible)

    def split_factors(self, split: str, indices: Any) -> Factors:
        rows = []
        for i in indices:
            draw = torch.Generator().manual_seed(100 * len(split) + i)
            rows.append((torch.randint(2, (2,), generator=draw), torch.rand(1, generator=draw)))
        return Factors(torch.stack([a for a, _ in rows]), torch.stack([b for _, b in rows]), torch.zeros(len(rows), 1))


class TinyEncoder(nn.Module):
    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.rows, self.read = rows, nn.Linear(3 * SIDE * SIDE, rows * width)

    def encode(self, images: Tensor) -> Tensor:
        return self.read(images.flatten(1)).unflatten(1, (self.rows, -1))


class TinyEmbedder(nn.Module):
    """Every judge in one: random projections of pixels and letters."""

    threshold = 0.5
    attributes = tuple(a.name for a in ATTRIBUTES)

    def __init__(self) -> None:
        super().__init__()
        self.look, self.letters = nn.Linear(3 * SIDE * SIDE, 6), nn.Linear(256, 6)

    def encode_image(self, images: Tensor, preprocessing: str = "correct") -> Tensor:
        return self.look(images.flatten(1))

    def encode_text(self, texts: list[str]) -> Tensor:
        counts = torch.stack([torch.bincount(torch.tensor(list(text.encode())), minlength=256) for text in texts])
        return self.letters(counts.float())

    def embed(self, images: Tensor) -> Tensor:
        return nn.functional.normalize(self.look(images.flatten(1)), dim=1)

    def predict(self, images: Tensor) -> Tensor:
        return (self.look(images.flatten(1))[:, :2] > 0).long()

    def forward(self, a: Tensor, b: Tensor | None = None, keep: Tensor | None = None) -> Tensor:
        if b is None:
            return self.look(a.flatten(1))
        error = (a - b).square().mean(1)
        return error.mean((1, 2)) if keep is None else (error * keep).sum((1, 2)) / keep.sum((1, 2))


class TinyDomain(Domain):
    """A domain whose networks are made from the role's name."""

    def network(self, role: str) -> Any:
        if role not in self._networks:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(ROLES.index(role))
                if role == "generator":
                    made: nn.Module = Generator(SIDE, 4, 4, n_mlp=1, channels={4: 4, 8: 4, 16: 4})
                elif role == "encoder":
                    made = TinyEncoder(self.generator.num_rows, 4)
                else:
                    made = TinyEmbedder()
            self._networks[role] = made.eval().requires_grad_(False)
        return self._networks[role]

    def digest(self, role: str) -> str:
        return f"digest-of-{role}"

    def photos(self, split: str, n: int | None = None, start: int = 0) -> Photos:
        factors = TinyWorld().split_factors(split, range(start, start + (n or 8)))
        ids = tuple(f"{split}-{i}" for i in range(start, start + len(factors)))
        return Photos(TinyWorld().render(factors).images, ids, factors)


class Shift(Editor):
    """Moves every row by a fixed step per prompt; draws a little from torch's global random state."""

    info = MethodInfo("shift", "Shift & <b>", "", "", "bench_tiny:Shift", "w+", "none", settings={"size": 1.0})

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        if strength == 0:
            return latents
        step = torch.full_like(latents.codes, len(prompt.words) / 10) + 0.1 * torch.randn(4)
        return latents.with_codes(latents.codes + strength * self.settings["size"] * step)


class Styles(Editor):
    """Edits style space."""

    info = MethodInfo("styles", "Styles", "", "", "bench_tiny:Styles", "s", "none")

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        return latents.with_codes(self.domain.generator.to_style(latents.codes) + strength, "s")


class Broken(Shift):
    """Fails on one prompt."""

    info = MethodInfo("broken", "Broken", "", "", "bench_tiny:Broken", "w+", "none")

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Latents:
        if prompt.words == "cap":
            raise RuntimeError("no cap today \x1b[31m")
        return latents


class Picture(Editor):
    """Returns pictures, not codes."""

    info = MethodInfo("picture", "Picture", "", "", "bench_tiny:Picture", "image", "none")

    def edit(self, latents: Latents, prompt: Prompt, strength: float = 1.0) -> Tensor:
        assert latents.images is not None
        return latents.images * (1 - strength / 4)


class Untrained(Shift):
    """Has no weights yet."""

    info = MethodInfo("untrained", "Untrained", "", "", "bench_tiny:Untrained", "w+", "per-dataset")


CARDS = {editor.info.name: editor.info for editor in (Shift, Styles, Broken, Picture, Untrained)}


CONTROLS = ("no-edit", "random-direction")
"""The controls that run; tests of the others name them."""


def install(set_attribute: Any = setattr, controls: tuple[str, ...] = CONTROLS) -> None:
    """Replace the installed methods by the ones here, and domains by tiny ones; the controls stay the real ones."""
    module = sys.modules[__name__]
    cards = types.ModuleType("bench_tiny_cards")
    for name, card in CARDS.items():
        setattr(cards, name, card)
    sys.modules["bench_tiny"], sys.modules["bench_tiny_cards"] = module, cards
    group = "textedit_bench.methods"
    points = [EntryPoint(name, f"bench_tiny_cards:{name}", group) for name in CARDS]
    import textedit_bench.controls.cards
    import textedit_bench.domain
    import textedit_bench.registry

    chosen = {name: card for name, card in CONTROL_CARDS.items() if name in controls}
    set_attribute(textedit_bench.controls.cards, "CONTROLS", chosen)
    set_attribute(textedit_bench.registry, "entry_points", lambda group: points if group.endswith("methods") else [])
    set_attribute(textedit_bench.domain, "Domain", TinyDomain)


def request(results: Path, card: Path, *methods: str, **options: Any) -> Any:
    """A small request on the tiny data set."""
    from textedit_bench.bench.request import BenchRequest

    values = {"images": 4, "strengths": STRENGTHS, "threads": 1, "tier": "mini", **options}
    return BenchRequest(methods=methods or ("shift",), datasets=(str(card),), results=results, **values)


def stored_pictures(path: Path) -> Any:
    """The pictures of a stored cell, wherever they lie."""
    from textedit_bench.bench.cell import read_manifest
    from textedit_bench.bench.kept import CellPictures

    manifest = read_manifest(path)
    assert manifest is not None
    return CellPictures(path, manifest)


if __name__ == "__main__":
    install()
    from textedit_bench.benchmark import run_bench

    summary = run_bench(request(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:]))
    print(summary.text())
    sys.exit(summary.exit_code)
