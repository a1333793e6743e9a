"""Public loaders: from a path to a ready network (eval mode, float32, CPU, frozen parameters) that fits the others.

What a file is follows from its content, never from its name. Networks to be trained further need
`requires_grad_(True)`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from torch import Tensor, nn

from textedit_bench.errors import CheckpointError
from textedit_bench.models.building import (
    build_discriminator,
    build_encoder,
    build_generator,
    build_identity,
    build_parser,
)
from textedit_bench.models.checkpoint import Checkpoint, read_checkpoint
from textedit_bench.models.curricularface import CurricularFace
from textedit_bench.models.dinov2 import DinoV2
from textedit_bench.models.discriminator import Discriminator
from textedit_bench.models.facenet import FaceNet
from textedit_bench.models.inception import Inception, Resize
from textedit_bench.models.lpips import Lpips, Net
from textedit_bench.models.roles import Features, Identity, Perceptual
from textedit_bench.models.storage import build_network
from textedit_bench.models.stylegan2 import Generator

if TYPE_CHECKING:
    from textedit_bench.models.clip import ClipModel
    from textedit_bench.models.roles import Encoder, Parser


AnyPath = str | os.PathLike[str]
Network = TypeVar("Network", bound=nn.Module)


def load_generator(path: AnyPath) -> Generator:
    """Load a StyleGAN2 generator: rosinality, e4e or pSp `.pt`, state dict, NVIDIA pickle or our format.

    Raises:
        CheckpointError: one line with the file and the error.
    """
    checkpoint = read_checkpoint(path)
    return _own(checkpoint, Generator) if checkpoint.format == "ours" else build_generator(checkpoint)


def load_discriminator(path: AnyPath) -> Discriminator:
    """Load a StyleGAN2 discriminator: rosinality `.pt`, bare state dict, NVIDIA pickle or our format.

    Raises:
        CheckpointError: one line with the file and the error.
    """
    checkpoint = read_checkpoint(path)
    return _own(checkpoint, Discriminator) if checkpoint.format == "ours" else build_discriminator(checkpoint)


def load_encoder(path: AnyPath) -> Encoder:
    """Load an encoder: e4e / pSp `.pt` or our format; `.encode(images)` gives W+ (B, rows, w_dim).

    Raises:
        CheckpointError: one line with the file and the error.
    """
    return _load(path, build_encoder, "encode")


def load_identity(path: AnyPath) -> Identity:
    """Load ArcFace or MoCo from published files, or our format; `.embed(images)` gives unit vectors (B, d).

    Raises:
        CheckpointError: one line with the file and the error.
    """
    return _load(path, build_identity, "embed")


def load_parser(path: AnyPath) -> Parser:
    """Load a face parser: the published `parsenet.pth` or our format; `.hair(images)` gives masks (B, 1, H, W).

    Raises:
        CheckpointError: one line with the file and the error.
    """
    return _load(path, build_parser, "hair")


def load_clip(path_or_name: AnyPath, architecture: str | None = None) -> ClipModel:
    """Load a CLIP: `.encode_image(images)`, `.encode_text(sentences)`; see `clip_loading.load_clip` for formats."""
    from textedit_bench.models import clip_loading  # open_clip takes seconds to import

    return clip_loading.load_clip(path_or_name, architecture)


def load_own(path: AnyPath) -> nn.Module:
    """Load any network in our format.

    Raises:
        CheckpointError: one line with the file and the error.
    """
    return _own(read_checkpoint(path), nn.Module)


def load_judge_identity(path: AnyPath) -> Identity:
    """Load CurricularFace, FaceNet or DINOv2 from published files, else whatever `load_identity` reads.

    Raises:
        CheckpointError: one line with the file and the error.
    """
    checkpoint = read_checkpoint(path)
    state = _state(checkpoint)
    if any(name.startswith("repeat_1.0.branch0.") for name in state):
        return FaceNet.from_state(state, str(path))
    # IR-SE networks have gates (fc1) in every block, IR-101 has none and 49 blocks.
    if "body.48.res_layer.1.weight" in state and not any(".fc1." in name for name in state):
        return CurricularFace.from_state(state, str(path))
    return DinoV2.from_state(state, str(path)) if _is_dinov2(state) else load_identity(path)


def load_features(path: AnyPath, resize: Resize = "clean") -> Features:
    """Load Inception of 2015-12-05 or DINOv2 from published files, or a feature network of ours.

    Args:
        path: the file.
        resize: Inception's resize rule; DINOv2 has one.

    Raises:
        CheckpointError: one line with the file and the error.
    """
    checkpoint = read_checkpoint(path)
    if checkpoint.format == "ours":
        return load_own(path)
    state = _state(checkpoint)
    if _is_dinov2(state):
        return DinoV2.from_state(state, str(path))
    return Inception.from_state(state, str(path), resize)


def load_perceptual(path: AnyPath) -> Perceptual:
    """Load LPIPS on a torchvision backbone (AlexNet or VGG-16, detected from layers), or a network of ours.

    Raises:
        CheckpointError: one line with the file and the error.
    """
    checkpoint = read_checkpoint(path)
    if checkpoint.format == "ours":
        return load_own(path)
    state = _state(checkpoint)
    first = state.get("features.0.weight")
    trunks: dict[tuple[int, ...], Net] = {(64, 3, 11, 11): "alex", (64, 3, 3, 3): "vgg"}
    net = trunks.get(tuple(first.shape)) if first is not None else None
    if net is None:
        raise CheckpointError(f"{path}: holds neither AlexNet nor VGG-16 of torchvision")
    try:
        return Lpips(net, state)
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path}: {' '.join(str(error).split())[:200]}") from error


def _own(checkpoint: Checkpoint, wanted: type[Network]) -> Network:
    network = build_network(checkpoint.path, checkpoint.networks[""], checkpoint.metadata)
    if not isinstance(network, wanted):
        raise CheckpointError(
            f"{checkpoint.path}: holds a {type(network).__name__} ({checkpoint.metadata.get('kind')}), "
            f"not a {wanted.__name__.lower()}"
        )
    return network


def _load(path: AnyPath, build: Callable[[Checkpoint], nn.Module], method: str) -> Any:
    """Load a published file by ``build``, or a network of ours that has the method."""
    checkpoint = read_checkpoint(path)
    if checkpoint.format != "ours":
        return build(checkpoint)
    network = _own(checkpoint, nn.Module)
    if not callable(getattr(network, method, None)):
        raise CheckpointError(f"{path}: holds a {type(network).__name__}, which has no `{method}`")
    return network


_OFFERS = {"encoder": "encode", "parser": "hair", "oracle": "predict", "second_oracle": "predict"}
_OTHERS = ("synthesize", "encode", "encode_image", "predict")
"""Attributes that identify networks of roles other than processing pictures."""


def check_role(network: Any, role: str, resolution: int, path: Path) -> None:
    """Refuse a network in a role that it cannot serve.

    Args:
        network: as loaded.
        role: of the card.
        resolution: side of the data set's pictures.
        path: its file.

    Raises:
        CheckpointError: a generator or discriminator of another resolution, or a network of another kind.
    """
    side = getattr(network, "resolution", None)
    if role in ("generator", "discriminator") and side is not None and side != resolution:
        raise CheckpointError(f"{path}: a {role} of {side} pixels, but the card says resolution: {resolution}")
    wrong = [name for name in _OTHERS if hasattr(network, name)] if role in ("perceptual", "features") else []
    if wrong or not hasattr(network, _OFFERS.get(role, "forward")):
        raise CheckpointError(f"{path}: holds a {type(network).__name__}, which cannot be the {role} of a data set")


def codes_fit(codes: Tensor, generator: Any) -> bool:
    """Whether a generator accepts codes [N, rows, w_dim]; assumed for one of unknown sizes."""
    sizes = [getattr(generator, name, None) for name in ("num_rows", "w_dim")]
    return None in sizes or (codes.ndim == 3 and list(codes.shape[1:]) == sizes)


def misfit(codes: Tensor, generator: Any, encoded_by: str, path: Path) -> CheckpointError:
    """Describe codes that a generator does not accept.

    Args:
        codes: W+ codes of photos.
        generator: which was to draw them.
        encoded_by: what gave the codes, with its file.
        path: the generator's file.
    """
    given = " x ".join(map(str, codes.shape[1:]))
    return CheckpointError(
        f"{encoded_by}: gives codes of {given} (rows x width), but the generator {path} takes "
        f"{int(generator.num_rows)} x {int(generator.w_dim)}, for {generator.resolution} pixels; they do not belong "
        f"together"
    )


def _is_dinov2(state: dict[str, Any]) -> bool:
    return {"patch_embed.proj.weight", "blocks.0.ls1.gamma"} <= state.keys()


def _state(checkpoint: Checkpoint) -> dict[str, Any]:
    return dict(next(iter(checkpoint.networks.values()), {}))
