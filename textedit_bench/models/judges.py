"""Load evaluation networks; the kind of a file is detected from its tensors, never from its name."""

from __future__ import annotations

from typing import Any

from textedit_bench.errors import CheckpointError
from textedit_bench.models.checkpoint import Checkpoint, read_checkpoint
from textedit_bench.models.curricularface import CurricularFace
from textedit_bench.models.dinov2 import DinoV2
from textedit_bench.models.facenet import FaceNet
from textedit_bench.models.inception import Inception, Resize
from textedit_bench.models.loading import AnyPath, load_identity, load_own
from textedit_bench.models.lpips import Lpips, Net
from textedit_bench.models.roles import Features, Identity, Perceptual


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


def _is_dinov2(state: dict[str, Any]) -> bool:
    return {"patch_embed.proj.weight", "blocks.0.ls1.gamma"} <= state.keys()


def _state(checkpoint: Checkpoint) -> dict[str, Any]:
    return dict(next(iter(checkpoint.networks.values()), {}))
