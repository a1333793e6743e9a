"""Build a network from the tensors of a checkpoint: sizes are inferred, and every tensor must be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from textedit_bench.errors import CheckpointError
from textedit_bench.models.checkpoint import Checkpoint
from textedit_bench.models.discriminator import Discriminator
from textedit_bench.models.encoder import HeadMode, StyleEncoder
from textedit_bench.models.geometry_inference import discriminator_geometry, encoder_geometry, generator_geometry
from textedit_bench.models.identity import ArcFace, MocoSimilarity
from textedit_bench.models.known import resemblance
from textedit_bench.models.layers import fir_kernel
from textedit_bench.models.parsenet import FaceParser
from textedit_bench.models.state_dicts import load_exactly, refuse_not_finite
from textedit_bench.models.stylegan2 import Generator

NAMES = {
    "generator": "a StyleGAN2 generator",
    "discriminator": "a StyleGAN2 discriminator",
    "encoder": "an e4e or pSp encoder",
    "identity": "an ArcFace IR-SE50",
    "moco": "a MoCo v2 ResNet-50",
    "parser": "a face parser",
    "clip": "a CLIP",
    "unknown": "tensors of no network we know",
}
CAR_SIZE = (192, 256)
HEADS: dict[str, HeadMode] = {"Encoder4Editing": "e4e", "GradualStyleEncoder": "psp"}


def part(checkpoint: Checkpoint, network: str) -> dict[str, Tensor]:
    """Return the state dict of one network of a checkpoint.

    Raises:
        CheckpointError: the file does not hold it; says what it holds and what it resembles.
    """
    if network in checkpoint.networks:
        return checkpoint.networks[network]
    held = " and ".join(NAMES.get(name, name) for name in checkpoint.networks) or "no network"
    first: Mapping[str, Tensor] = next(iter(checkpoint.networks.values()), {})
    raise CheckpointError(f"{checkpoint.path}: holds {held}, not {NAMES[network]}. {resemblance(first)}")


def build_generator(checkpoint: Checkpoint) -> Generator:
    """Build the generator of a checkpoint.

    A file without a stored centre of W gets the mean of 10,000 mapped latents of a fixed seed.
    """
    state = part(checkpoint, "generator")
    clamp = checkpoint.settings.get("generator", {}).get("conv_clamp")
    try:
        network = Generator(**generator_geometry(state), conv_clamp=clamp)
    except (LookupError, ValueError) as error:
        raise CheckpointError(f"{checkpoint.path}: incomplete generator ({error}). {resemblance(state)}") from error
    _finish(checkpoint, network, state)
    _check_kernels(checkpoint, state, 4.0)
    if checkpoint.latent_avg is None:
        network.estimate_w_mean()
    else:
        network.w_mean.copy_(_centre(checkpoint, network.w_dim))
    return network


def _centre(checkpoint: Checkpoint, w_dim: int) -> Tensor:
    """Return the stored average as (w_dim,): encoders store it once per row."""
    average = checkpoint.latent_avg
    assert average is not None
    refuse_not_finite({"latent_avg": average}, str(checkpoint.path))
    if average.shape[-1:] != (w_dim,):
        raise CheckpointError(f"{checkpoint.path}: latent_avg {tuple(average.shape)} does not end in w_dim {w_dim}")
    return average.float().reshape(-1, w_dim).mean(dim=0)


def build_discriminator(checkpoint: Checkpoint) -> Discriminator:
    """Build the discriminator of a checkpoint."""
    state = part(checkpoint, "discriminator")
    try:
        geometry = discriminator_geometry(state)
        network = Discriminator(**geometry, **checkpoint.settings.get("discriminator", {}))
    except (LookupError, ValueError) as error:
        raise CheckpointError(f"{checkpoint.path}: incomplete discriminator ({error}). {resemblance(state)}") from error
    _finish(checkpoint, network, state)
    _check_kernels(checkpoint, state, 1.0)
    return network


def build_encoder(checkpoint: Checkpoint) -> StyleEncoder:
    """Build the e4e or pSp encoder of a checkpoint, with its latent average and its domain's input size."""
    state = part(checkpoint, "encoder")
    options = checkpoint.settings.get("encoder", {})
    channels = (int(options.get("input_nc", 3) or 3), int(options.get("label_nc", 0) or 0))
    if channels != (3, 0):
        raise CheckpointError(
            f"{checkpoint.path}: an encoder of other inputs than RGB pictures (channels, labels) {channels}"
        )
    try:
        geometry = encoder_geometry(state)
    except LookupError as error:
        raise CheckpointError(f"{checkpoint.path}: incomplete encoder ({error}). {resemblance(state)}") from error
    network = StyleEncoder(
        geometry["rows"],
        _head_mode(checkpoint, options),
        geometry["w_dim"],
        CAR_SIZE if "car" in str(options.get("dataset_type", "")) else (256, 256),
        add_average=bool(options.get("start_from_latent_avg", checkpoint.latent_avg is not None)),
    )
    _finish(checkpoint, network, state)
    _set_average(checkpoint, network)
    return network


def _head_mode(checkpoint: Checkpoint, options: Mapping[str, Any]) -> HeadMode:
    """Return e4e or pSp by the stored options, since their tensor names are equal."""
    name = str(options.get("encoder_type", "GradualStyleEncoder" if "output_size" in options else "Encoder4Editing"))
    if name not in HEADS:
        raise CheckpointError(f"{checkpoint.path}: encoder type {name!r} is none of {', '.join(HEADS)}")
    return HEADS[name]


def _set_average(checkpoint: Checkpoint, network: StyleEncoder) -> None:
    average = checkpoint.latent_avg
    if average is None:
        if network.add_average:
            raise CheckpointError(f"{checkpoint.path}: the options ask for a latent average, but the file has none")
        return
    refuse_not_finite({"latent_avg": average}, str(checkpoint.path))
    average = average.float().reshape(-1, average.shape[-1])
    if average.shape not in ((1, network.w_dim), (network.rows, network.w_dim)):
        raise CheckpointError(
            f"{checkpoint.path}: latent_avg {tuple(average.shape)} fits no encoder of {network.rows} rows and width "
            f"{network.w_dim}"
        )
    network.latent_avg.copy_(average)


def build_identity(checkpoint: Checkpoint) -> ArcFace | MocoSimilarity:
    """Build the ArcFace or MoCo network of a checkpoint."""
    if "moco" in checkpoint.networks:
        return _moco(checkpoint)
    network = ArcFace()
    _finish(checkpoint, network, part(checkpoint, "identity"))
    return network


def _moco(checkpoint: Checkpoint) -> MocoSimilarity:
    """Return the query encoder without its projection head; the key encoder and the queue are training state."""
    network, state = MocoSimilarity(), {}
    for name, tensor in checkpoint.networks["moco"].items():
        inner = name.removeprefix("encoder_q.")
        if name.startswith("encoder_q.") and not inner.startswith("fc."):
            state[f"trunk.{inner}"] = tensor
    _finish(checkpoint, network, state)
    return network


def build_parser(checkpoint: Checkpoint) -> FaceParser:
    """Build the face parser of a checkpoint."""
    network = FaceParser()
    _finish(checkpoint, network, part(checkpoint, "parser"))
    return network


def _finish(checkpoint: Checkpoint, network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load all tensors, set eval mode and freeze the parameters."""
    try:
        load_exactly(network, state, source=str(checkpoint.path))
    except CheckpointError as error:
        raise CheckpointError(f"{error} {resemblance(state)}") from None
    network.eval().requires_grad_(False)


def _check_kernels(checkpoint: Checkpoint, state: Mapping[str, Tensor], gain: float) -> None:
    expected = fir_kernel(gain)
    for name, tensor in state.items():
        if name.endswith(".kernel") and not torch.allclose(tensor, expected, atol=1e-4):
            raise CheckpointError(f"{checkpoint.path}: {name} is not the [1, 3, 3, 1] filter with gain {gain:g}")
