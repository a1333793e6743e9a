"""LPIPS of the full tier: the lpips package's heads on a torchvision backbone, without downloads, optionally masked.

The mini tier's ``perceptual`` network has the same call and its own small trunk.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.models.state_dicts import refuse_not_finite

Net = Literal["alex", "vgg", "squeeze"]


class Lpips(nn.Module):
    """LPIPS v0.1 (Zhang et al. 2018, arXiv 1801.03924).

    The heads come with the lpips package; the trunk's weights are given by the caller, because the package would
    download them.

    Args:
        net: trunk; the values of different trunks differ by factors.
        trunk: state dict of the torchvision network (``features.0.weight`` ...); None leaves random weights, for tests.
        side: pictures are resized to this side first, antialiased; None keeps their size.
    """

    def __init__(self, net: Net = "alex", trunk: Mapping[str, Tensor] | None = None, side: int | None = 256) -> None:
        super().__init__()
        import lpips

        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            # The package announces itself and uses an argument that torchvision has renamed.
            warnings.simplefilter("ignore")
            self.package = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
        self.net, self.side = net, side
        if trunk is not None:
            self._load_trunk(trunk)
        self.eval().requires_grad_(False)

    def _load_trunk(self, trunk: Mapping[str, Tensor]) -> None:
        """Copy torchvision's ``features.N.*`` into the package's slices, which keep the number N."""
        wanted = self.package.net.state_dict()
        renamed = {name: f"features.{name.split('.', 1)[1]}" for name in wanted}
        missing = sorted(set(renamed.values()) - set(trunk))
        if missing:
            raise ValueError(f"trunk of LPIPS-{self.net} lacks {missing[0]} (and {len(missing) - 1} more)")
        refuse_not_finite({theirs: trunk[theirs] for theirs in renamed.values()}, f"trunk of LPIPS-{self.net}")
        self.package.net.load_state_dict({name: trunk[theirs] for name, theirs in renamed.items()})

    def forward(self, a: Tensor, b: Tensor, keep: Tensor | None = None) -> Tensor:
        """Compute distances [B], nonnegative; 0 for equal pictures.

        Args:
            a: pictures [B, 3, H, W] in [-1, 1].
            b: pictures to compare with.
            keep: bool [B, H, W], True where pixels count; nan if none does. Receptive fields still see what lies
                outside: erode the mask generously.

        Raises:
            ValueError: shapes differ, or values outside [-1, 1], which the package would take in silence.
        """
        if a.shape != b.shape:
            raise ValueError(f"pictures of one shape are needed, got {tuple(a.shape)} and {tuple(b.shape)}")
        for pictures in (a, b):
            if pictures.numel() and pictures.abs().max() > 1.0 + 1e-3:
                raise ValueError("pictures must lie in [-1, 1]")
        if self.side is not None:
            a, b = (F.interpolate(x, (self.side, self.side), mode="bilinear", antialias=True) for x in (a, b))
        if keep is None:
            return self._run(a, b, spatial=False).flatten()
        distance = self._run(a, b, spatial=True)[:, 0]
        share = F.interpolate(keep[:, None].to(distance.dtype), distance.shape[-2:], mode="area")[:, 0]
        weight = (share >= 1.0 - 1e-6).to(distance.dtype)
        return (distance * weight).sum((1, 2)) / weight.sum((1, 2))

    def _run(self, a: Tensor, b: Tensor, *, spatial: bool) -> Tensor:
        self.package.spatial = spatial
        distance: Tensor = self.package(a, b)
        return distance
