"""Detect whether pictures show a face: MTCNN's three networks in batches, on any device, without synchronisation.

The package's own cascade looks for faces of 20 pixels, one picture at a time, and takes a third of a second for 1024
pixels. Whether an edit lost its face needs neither small faces nor their places: pictures are reduced first, and
every network is asked about the same number of candidates in every picture, so that no size depends on the pictures.

Source: Zhang et al. 2016 (arXiv 1604.02878); weights and thresholds of facenet-pytorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from textedit_bench.errors import UserError

SIDE = 64
"""Pictures are averaged down to this many pixels on their shorter side."""
SMALLEST = 20
"""Least side of a face in the reduced picture; a picture in FFHQ's frame holds a larger one."""
CANDIDATES, FINALISTS = 8, 2
"""Places per picture that the second and the third network see."""
_CELL, _STRIDE = 12, 2
"""Field of view and step of the first network, in pixels."""
_SHRINK = 0.709
_SURE = (0.6, 0.7, 0.7)
"""Least probability that each network has to give."""

Presence = Callable[[Tensor], Tensor]
"""Pictures [B, 3, H, W] in [-1, 1] -> bool [B], on their device: whether there is a face."""


class MtcnnPresence:
    """Detects faces of at least a third of a picture's side; the networks are loaded on first use."""

    def __init__(self) -> None:
        self._networks: tuple[Any, ...] = ()

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Return bool [B], on the device of the images [B, 3, H, W] in [-1, 1].

        Raises:
            UserError: facenet-pytorch is not installed.
        """
        if not self._networks:
            self._networks = _load()
        first, second, third = (network.to(images.device) for network in self._networks)
        shorter = min(images.shape[-2:])
        small = F.interpolate(images.float(), [round(n * SIDE / shorter) for n in images.shape[-2:]], mode="area")
        small = small * (127.5 / 128.0)
        boxes, sure = _proposed(first, small)
        step, chance = second(_cut(small, boxes, 24))
        boxes, sure = _refined(boxes, sure, step, chance, _SURE[1])
        best = sure.topk(FINALISTS).indices
        _, _, chance = third(_cut(small, boxes.gather(1, best[..., None].expand(-1, -1, 4)), 48))
        found = (chance[:, 1].view(len(images), -1) > _SURE[2]) & (sure.gather(1, best) > 0)
        return found.any(1)


def _load() -> tuple[Any, ...]:
    try:
        from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
    except ImportError as error:
        raise UserError(
            "identity judges need facenet-pytorch, which is not installed: pip install 'facenet-pytorch>=2.5.3,<2.6'"
        ) from error
    return tuple(network().eval().requires_grad_(False) for network in (PNet, RNet, ONet))


def _proposed(network: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return candidate squares [B, CANDIDATES, 4] and their probabilities (0 if too low)."""
    boxes, sure = [], []
    height, width = images.shape[-2:]
    scale = _CELL / SMALLEST
    while min(height, width) * scale >= _CELL:
        step, chance = network(F.interpolate(images, (int(height * scale + 1), int(width * scale + 1)), mode="area"))
        map_ = chance[:, 1]
        # Of neighbours that see the same face the surest speaks.
        map_ = torch.where(map_ == F.max_pool2d(map_[:, None], 3, 1, 1)[:, 0], map_, torch.zeros_like(map_))
        top, at = map_.flatten(1).topk(min(CANDIDATES, map_[0].numel()))
        x, y = at % map_.shape[-1], at // map_.shape[-1]
        corner = (torch.stack([x, y], -1) * _STRIDE + 1) / scale
        box = torch.cat([corner, corner + _CELL / scale], -1)
        boxes.append(_moved(box, step.flatten(2).gather(2, at[:, None].expand(-1, 4, -1)).mT))
        sure.append(top)
        scale *= _SHRINK
    every, chances = torch.cat(boxes, 1), torch.cat(sure, 1)
    top, at = chances.topk(min(CANDIDATES, chances.shape[1]))
    return every.gather(1, at[..., None].expand(-1, -1, 4)), torch.where(top >= _SURE[0], top, torch.zeros_like(top))


def _refined(boxes: Tensor, sure: Tensor, step: Tensor, chance: Tensor, least: float) -> tuple[Tensor, Tensor]:
    """Refine squares by a network, with its probabilities; 0 if this or the previous one is too low."""
    found = chance[:, 1].view_as(sure)
    kept = (found > least) & (sure > 0)
    return _moved(boxes, step.view_as(boxes)), torch.where(kept, found, torch.zeros_like(found))


def _moved(boxes: Tensor, step: Tensor) -> Tensor:
    """Move boxes [B, K, 4] by shares of their sides, and make them square about their centres."""
    size = boxes[..., 2:] - boxes[..., :2]
    moved = boxes + step * size.repeat(1, 1, 2)
    half = (moved[..., 2:] - moved[..., :2]).amax(-1, keepdim=True) / 2
    centre = (moved[..., :2] + moved[..., 2:]) / 2
    return torch.cat([centre - half, centre + half], -1)


def _cut(images: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Crop the squares [B, K, 4] of their pictures, [B K, 3, side, side]."""
    from torchvision.ops import roi_align  # half a second to import

    count, places = boxes.shape[:2]
    which = torch.arange(count, device=images.device).repeat_interleave(places, output_size=count * places)
    regions = torch.cat([which[:, None].to(boxes), boxes.flatten(0, 1)], 1)
    cut: Tensor = roi_align(images, regions, side, sampling_ratio=2, aligned=True)
    return cut
