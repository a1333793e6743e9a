"""Similarity networks, the face parser and judges; those of torchvision's making take their names from torchvision."""

from __future__ import annotations

from pathlib import Path

import torch

from textedit_workshop.rehearsal.filling import fill, prefixed, shapes_of
from textedit_workshop.rehearsal.sizes import Sizes

_QUEUE = 65536


def write_moco(path: Path, _sizes: Sizes, salt: str) -> None:
    """MoCo v2's training checkpoint: query and key encoders with their projection heads, and the queue."""
    from torchvision.models import resnet50

    with torch.device("meta"):
        trunk = shapes_of(resnet50(weights=None).state_dict().items())
    trunk = {name: shape for name, shape in trunk.items() if not name.startswith("fc.")}
    head = {"fc.0.weight": (2048, 2048), "fc.0.bias": (2048,), "fc.2.weight": (128, 2048), "fc.2.bias": (128,)}
    query = fill({**trunk, **head}, salt)
    state = {
        **prefixed("module.encoder_q.", query),
        **prefixed("module.encoder_k.", query),
        "module.queue": torch.zeros(128, _QUEUE),
        "module.queue_ptr": torch.zeros(1, dtype=torch.long),
    }
    torch.save({"epoch": 800, "arch": "resnet50", "state_dict": state}, path)


def write_parsenet(path: Path, _sizes: Sizes, salt: str) -> None:
    """The face parser, a bare state dict."""
    from textedit_bench.models.parsenet import FaceParser

    with torch.device("meta"):
        shapes = shapes_of(FaceParser().state_dict().items())
    torch.save(fill(shapes, salt), path)


def write_curricularface(path: Path, _sizes: Sizes, salt: str) -> None:
    """CurricularFace IR-101, a bare state dict."""
    from textedit_bench.models.curricularface import CurricularFace

    with torch.device("meta"):
        shapes = shapes_of(CurricularFace().state_dict().items())
    torch.save(fill(shapes, salt), path)


def write_alexnet(path: Path, _sizes: Sizes, salt: str) -> None:
    """torchvision's AlexNet."""
    from torchvision.models import alexnet

    with torch.device("meta"):
        shapes = shapes_of(alexnet(weights=None).state_dict().items())
    torch.save(fill(shapes, salt), path)


def write_vgg(path: Path, _sizes: Sizes, salt: str) -> None:
    """torchvision's VGG-16."""
    from torchvision.models import vgg16

    with torch.device("meta"):
        shapes = shapes_of(vgg16(weights=None).state_dict().items())
    torch.save(fill(shapes, salt), path)


def write_inception(path: Path, _sizes: Sizes, salt: str) -> None:
    """The Inception of 2015-12-05: torchvision's layers with 1008 logits."""
    from torchvision.models.inception import Inception3

    with torch.device("meta"):
        network = Inception3(num_classes=1008, aux_logits=False, transform_input=False, init_weights=False)
    torch.save(fill(shapes_of(network.state_dict().items()), salt), path)


def write_dinov2(path: Path, _sizes: Sizes, salt: str) -> None:
    """DINOv2 ViT-B/14, a bare state dict with the token that only its training needs."""
    from textedit_bench.models.dinov2 import DinoV2

    with torch.device("meta"):
        shapes = shapes_of(DinoV2(width=768, depth=12).state_dict().items())
    torch.save(fill({**shapes, "mask_token": (1, 768)}, salt), path)
