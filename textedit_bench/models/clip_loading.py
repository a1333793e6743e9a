"""Load CLIP from our format, OpenAI's TorchScript archive, an open_clip folder, state dict or name."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import open_clip
import torch
from torch import Tensor, nn

from textedit_bench.errors import CheckpointError
from textedit_bench.models.clip import OPENAI_MEAN, OPENAI_STD, ClipModel
from textedit_bench.models.state_dicts import load_exactly, plain_names
from textedit_bench.models.storage import FORMAT, build_network, is_safetensors, read_tensors

CONFIG_NAME = "open_clip_config.json"
WEIGHT_NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")


def load_clip(path_or_name: str | os.PathLike[str], architecture: str | None = None) -> ClipModel:
    """Load a frozen CLIP in eval mode, float32.

    Args:
        path_or_name: a file of ours; OpenAI's `ViT-B-32.pt`; a folder with `open_clip_config.json` and weights; an
        open_clip
            state dict (needs `architecture`); or an open_clip name "ARCHITECTURE:TAG", which open_clip may download.
        architecture: open_clip architecture of a bare state dict. Tensors do not show whether QuickGELU was used, so it
            cannot be guessed.

    Raises:
        CheckpointError: nothing of the above, weights that do not fit, or OpenAI weights asked for with plain GELU.
    """
    path = Path(path_or_name)
    if path.is_dir():
        return _from_folder(path)
    if path.is_file():
        return _from_file(path, architecture)
    if ":" in str(path_or_name) and not os.path.isabs(path_or_name):
        name, _, tag = str(path_or_name).partition(":")
        return _from_name(name, tag)
    raise CheckpointError(f"{path_or_name}: no such file, and not an open_clip name of the form ARCHITECTURE:TAG")


def _from_name(architecture: str, tag: str) -> ClipModel:
    if architecture not in open_clip.list_models():
        raise CheckpointError(f"open_clip knows no architecture {architecture!r}")
    if tag not in open_clip.list_pretrained_tags_by_model(architecture):
        tags = ", ".join(open_clip.list_pretrained_tags_by_model(architecture))
        raise CheckpointError(f"open_clip has no weights {tag!r} for {architecture}; it has: {tags}")
    trained_quick = bool((open_clip.get_pretrained_cfg(architecture, tag) or {}).get("quick_gelu", False))
    if trained_quick != bool((open_clip.get_model_config(architecture) or {}).get("quick_gelu", False)):
        other = f"{architecture}-quickgelu" if trained_quick else architecture.removesuffix("-quickgelu")
        raise CheckpointError(
            f"{architecture}:{tag}: these weights were trained with {'QuickGELU' if trained_quick else 'plain GELU'}; "
            f"ask for {other}:{tag}"
        )
    model = open_clip.create_model(architecture, pretrained=tag)
    settings = getattr(model.visual, "preprocess_cfg", {})
    return _wrap(model, open_clip.get_tokenizer(architecture), settings, f"{architecture}/{tag}")


def _from_file(path: Path, architecture: str | None) -> ClipModel:
    if is_safetensors(path):
        tensors, metadata = read_tensors(path)
        if metadata.get("format") == FORMAT:
            network = build_network(path, tensors, metadata)
            if not isinstance(network, ClipModel):
                raise CheckpointError(f"{path}: holds a {type(network).__name__}, not a CLIP")
            return network
        return _from_state(path, tensors, architecture)
    from textedit_bench.models.torch_files import read_torch_file, read_torchscript, torch_file_kind

    if torch_file_kind(path) == "torchscript":
        return _from_openai(path, read_torchscript(path), architecture)
    return _from_state(path, _unwrap(path, read_torch_file(path)), architecture)


def _from_openai(path: Path, state: dict[str, Tensor], architecture: str | None) -> ClipModel:
    """Build CLIP from OpenAI's archives: sizes are inferred from shapes, the activation is always QuickGELU."""
    if architecture is not None and "quickgelu" not in architecture:
        raise CheckpointError(f"{path}: OpenAI weights use QuickGELU; ask for {architecture}-quickgelu or leave it out")
    for extra in ("input_resolution", "context_length", "vocab_size"):
        state.pop(extra, None)
    if "visual.proj" not in state or "text_projection" not in state:
        raise CheckpointError(f"{path}: a TorchScript archive, but not one of OpenAI's vision-transformer CLIPs")
    width, _, patch, _ = state["visual.conv1.weight"].shape
    grid = round((state["visual.positional_embedding"].shape[0] - 1) ** 0.5)
    context, text_width = state["positional_embedding"].shape
    model = open_clip.CLIP(
        embed_dim=state["text_projection"].shape[1],
        vision_cfg=open_clip.CLIPVisionCfg(
            layers=_depth(state, "visual.transformer.resblocks."),
            width=width,
            patch_size=patch,
            image_size=grid * patch,
        ),
        text_cfg=open_clip.CLIPTextCfg(
            context_length=context,
            vocab_size=state["token_embedding.weight"].shape[0],
            width=text_width,
            heads=text_width // 64,
            layers=_depth(state, "transformer.resblocks."),
        ),
        quick_gelu=True,
    )
    _load(path, model, state)
    tokenizer = open_clip.SimpleTokenizer(context_length=context)
    return _wrap(model, tokenizer, {"size": grid * patch}, f"openai-vit-p{patch}-w{width}")


def _from_folder(folder: Path) -> ClipModel:
    """Load the layout of the model hub: open_clip_config.json next to the weights."""
    config_file = folder / CONFIG_NAME
    weights = next((folder / name for name in WEIGHT_NAMES if (folder / name).is_file()), None)
    if not config_file.is_file() and any(folder.glob("**/data.pkl")):
        from textedit_bench.models.torch_files import torch_file_kind

        torch_file_kind(folder)  # says what the folder is
    if not config_file.is_file() or weights is None:
        raise CheckpointError(f"{folder}: needs {CONFIG_NAME} and one of {', '.join(WEIGHT_NAMES)}")
    try:
        config = json.loads(config_file.read_text(encoding="utf-8"))
        model = _build(config["model_cfg"])
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{config_file}: not an open_clip configuration ({error})") from error
    _load(weights, model, _read_state(weights))
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    return _wrap(model, tokenizer, config.get("preprocess_cfg", {}), folder.name)


def _from_state(path: Path, state: dict[str, Tensor], architecture: str | None) -> ClipModel:
    if architecture is None:
        raise CheckpointError(
            f"{path}: a CLIP state dict does not show its activation; give the open_clip architecture"
        )
    if architecture not in open_clip.list_models():
        raise CheckpointError(f"open_clip knows no architecture {architecture!r}")
    model = open_clip.create_model(architecture)
    _load(path, model, state)
    settings = getattr(model.visual, "preprocess_cfg", {})
    return _wrap(model, open_clip.get_tokenizer(architecture), settings, f"{architecture}/{path.stem}")


def _build(model_config: dict[str, Any]) -> nn.Module:
    """Build the network of an open_clip model configuration."""
    settings = dict(model_config)
    custom = settings.pop("custom_text", False)
    return (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**settings)


def _read_state(path: Path) -> dict[str, Tensor]:
    if is_safetensors(path):
        return read_tensors(path)[0]
    from textedit_bench.models.torch_files import read_torch_file

    return _unwrap(path, read_torch_file(path))


def _unwrap(path: Path, content: Any) -> dict[str, Tensor]:
    state = content.get("state_dict", content) if isinstance(content, dict) else None
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{path}: no state dict of a CLIP")
    return plain_names(state)


def _load(path: Path, model: nn.Module, state: dict[str, Tensor]) -> None:
    state = {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    buffers = {name for name, _ in model.named_buffers()} & set(model.state_dict()) - set(state)
    state.update({name: model.state_dict()[name] for name in buffers})  # masks: constants some files leave out
    load_exactly(model, state, source=str(path))


def _depth(state: dict[str, Tensor], prefix: str) -> int:
    return 1 + max(int(name[len(prefix) :].split(".")[0]) for name in state if name.startswith(prefix))


def _wrap(model: nn.Module, tokenizer: Any, settings: dict[str, Any], name: str) -> ClipModel:
    size = settings.get("size") or getattr(model.visual, "image_size", 224)
    size = size if isinstance(size, int) else int(size[0])  # type: ignore[index]
    mean, std = settings.get("mean") or OPENAI_MEAN, settings.get("std") or OPENAI_STD
    wrapped = ClipModel(model.to(torch.float32), tokenizer, size, mean, std, name)
    return wrapped.eval().requires_grad_(False)
