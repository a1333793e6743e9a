"""Layouts of official checkpoints, to name the one that a mismatched file resembles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import torch
from torch import Tensor, nn

from textedit_bench.models.discriminator import Discriminator
from textedit_bench.models.encoder import StyleEncoder
from textedit_bench.models.identity import ArcFace, MocoSimilarity
from textedit_bench.models.parsenet import FaceParser
from textedit_bench.models.stylegan2 import Generator

Layout = dict[str, tuple[int, ...]]
ENOUGH = 0.05


def _of(build: Callable[[], nn.Module], prefix: str = "") -> Callable[[], Layout]:
    def layout() -> Layout:
        with torch.device("meta"):
            network = build()
        return {prefix + name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}

    return layout


def _mapper(parts: Mapping[str, int], first: int, prefix: str = "") -> Callable[[], Layout]:
    """Return stacks of four square equalised layers (StyleCLIP's mappers and parts of DeltaEdit's)."""

    def layout() -> Layout:
        shapes: Layout = {}
        for part, width in parts.items():
            for index in range(first, first + 4):
                shapes[f"{prefix}{part}.mapping.{index}.weight"] = (width, width)
                shapes[f"{prefix}{part}.mapping.{index}.bias"] = (width,)
        return shapes

    return layout


def _moco() -> Layout:
    trunk = _of(MocoSimilarity)()
    return {f"module.encoder_q.{name.removeprefix('trunk.')}": shape for name, shape in trunk.items()}


LAYOUTS: dict[str, Callable[[], Layout]] = {
    "StyleGAN2 FFHQ 1024 generator": _of(lambda: Generator(1024)),
    "StyleGAN2 LSUN car 512 generator": _of(lambda: Generator(512)),
    "StyleGAN2 LSUN cat, church or horse 256 generator": _of(lambda: Generator(256)),
    "StyleGAN2 FFHQ 1024 discriminator": _of(lambda: Discriminator(1024)),
    "StyleGAN2 LSUN car 512 discriminator": _of(lambda: Discriminator(512)),
    "StyleGAN2 LSUN cat, church or horse 256 discriminator": _of(lambda: Discriminator(256)),
    "e4e or pSp FFHQ encoder (18 rows)": _of(lambda: StyleEncoder(18)),
    "e4e cars encoder (16 rows)": _of(lambda: StyleEncoder(16)),
    "e4e church or horse encoder (14 rows)": _of(lambda: StyleEncoder(14)),
    "ArcFace model_ir_se50.pth": _of(ArcFace),
    "MoCo v2 moco_v2_800ep_pretrain": _moco,
    "face parser parsenet.pth": _of(FaceParser),
    "StyleCLIP mapper": _mapper(
        {"course_mapping": 512, "medium_mapping": 512, "fine_mapping": 512}, 1, prefix="mapper."
    ),
    "DeltaEdit net_face.pth": _mapper({"sm_coarse": 512, "sm_medium": 512, "sm_fine": 2464}, 1),
}


@cache
def _layout(name: str) -> frozenset[tuple[str, tuple[int, ...]]]:
    return frozenset(LAYOUTS[name]().items())


def resemblance(state: Mapping[str, Tensor]) -> str:
    """Name the known checkpoint that shares most tensors (name and shape) with `state`, in a sentence."""
    own = {(name, tuple(tensor.shape)) for name, tensor in state.items()}
    scores = {name: len(own & _layout(name)) / max(1, len(own | _layout(name))) for name in LAYOUTS}
    best = max(scores, key=scores.__getitem__)
    if scores[best] < ENOUGH:
        return "It resembles no known checkpoint."
    shared = len(own & _layout(best))
    return f"It resembles most: {best} ({shared} of its {len(_layout(best))} tensors agree in name and shape)."
