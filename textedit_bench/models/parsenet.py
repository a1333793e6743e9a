"""The face parser: a U-Net that gives every pixel one of the 19 classes of CelebAMask-HQ.

Parameter names are those of the published file ``parsenet.pth``. Source: Ronneberger et al. 2015 (U-Net), arXiv
1505.04597; widths and classes as released with HairCLIP, arXiv 2112.05142.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.storage import StoredNetwork

HAIR = 13
"""Class of hair in the order of CelebAMask-HQ; other public parsers have other orders."""
CLASSES = 19
SIDE = 512
"""Side of the pictures that the published network was trained on, and is given."""
_WIDTHS = (16, 32, 64, 128, 256)


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU())


def _double(inputs: int, outputs: int) -> nn.Sequential:
    """Two convolutions, each with batch norm and ReLU: [B, inputs, H, W] -> [B, outputs, H, W]."""
    return nn.Sequential(OrderedDict(conv1=_layer(inputs, outputs), conv2=_layer(outputs, outputs)))


class _Up(nn.Module):
    """Doubles the side, and puts the map of that side before it."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.conv = _double(inputs, outputs)

    def forward(self, skip: Tensor, x: Tensor) -> Tensor:
        """[B, outputs, 2H, 2W] and [B, inputs, H, W] -> [B, outputs, 2H, 2W]."""
        found: Tensor = self.conv(torch.cat([skip, self.up(x)], dim=1))
        return found


class FaceParser(StoredNetwork):
    """Classes of a face's pixels; `forward` takes pictures as they are, `hair` those of any size."""

    def __init__(self) -> None:
        super().__init__()
        one, two, three, four, five = _WIDTHS
        self.conv1, self.conv2, self.conv3 = _double(3, one), _double(one, two), _double(two, three)
        self.conv4, self.center = _double(three, four), _double(four, five)
        self.up_concat4, self.up_concat3 = _Up(five, four), _Up(four, three)
        self.up_concat2, self.up_concat1 = _Up(three, two), _Up(two, one)
        self.final = nn.Conv2d(one, CLASSES, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits [B, 19, H, W] of pictures [B, 3, H, W] in [-1, 1]; sides are multiples of 16."""
        first = self.conv1(images)
        second = self.conv2(F.max_pool2d(first, 2))
        third = self.conv3(F.max_pool2d(second, 2))
        fourth = self.conv4(F.max_pool2d(third, 2))
        x = self.up_concat4(fourth, self.center(F.max_pool2d(fourth, 2)))
        x = self.up_concat1(first, self.up_concat2(second, self.up_concat3(third, x)))
        logits: Tensor = self.final(x)
        return logits

    @torch.no_grad()
    def hair(self, images: Tensor) -> Tensor:
        """Find the hair of pictures [B, 3, H, W] in [-1, 1]: 1 where it is, else 0, [B, 1, H, W].

        As published: the picture is averaged to `SIDE`, the mask averaged (for larger pictures: repeated) back, so
        that pictures smaller than `SIDE` have values in between at edges. Never differentiated.
        """
        classes = self(F.adaptive_avg_pool2d(images, SIDE)).argmax(dim=1, keepdim=True)
        return F.adaptive_avg_pool2d((classes == HAIR).to(images.dtype), (images.shape[-2], images.shape[-1]))
