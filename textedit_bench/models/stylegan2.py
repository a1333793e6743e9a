"""StyleGAN2 generator: mapping, W, W+, style space and synthesis, for any size, width and depth.

Parameter names and shapes are those of the rosinality layout, so official state dicts load as they are.
Source: Karras et al. 2020, arXiv 1912.04958 (config F); style space: Wu et al. 2021, arXiv 2011.12799.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from textedit_bench.models.discriminator import Discriminator
from textedit_bench.models.layers import EqualLinear, PixelNorm, channel_table
from textedit_bench.models.synthesis import StyledConv, ToRGB

__all__ = ["Discriminator", "Generator", "StyleLayer"]

Noise = str | Sequence[Tensor]


class StyleLayer(NamedTuple):
    """One style vector: `layer` names the module, `channels` its width, `row` the W+ row it reads."""

    layer: str
    channels: int
    row: int
    is_rgb: bool


class _ConstantInput(nn.Module):
    """The learned 4x4 input, (1, C, 4, 4)."""

    def __init__(self, channels: int):
        super().__init__()
        self.input = nn.Parameter(torch.randn(1, channels, 4, 4))


class Generator(nn.Module):
    """StyleGAN2 generator with skip connections.

    Args:
        resolution: side of the image in pixels, a power of two, at least 8.
        z_dim: width of the latent space that is drawn from.
        w_dim: width of the intermediate latent space.
        n_mlp: depth of the mapping network.
        channels: feature channels for every resolution from 4 up; config F if None.
        channel_multiplier: used where `channels` is None; 2 in config F.
        conv_clamp: limit on the output of every layer, as some NVIDIA mixed-precision networks were trained with.
        mapping_lr_mul: learning-rate multiplier of the mapping network.

    Attributes:
        w_mean: centre of W for truncation, buffer (w_dim,); files call it `latent_avg`. Not part of `state_dict`,
            which has exactly the official keys; `save_network` stores it, `estimate_w_mean` computes it.
        style_layout: the style vectors in generator order, toRGB included.

    Raises:
        ValueError: the resolution is no power of two >= 8, or `channels` lacks a resolution.
    """

    extra_tensors: ClassVar[dict[str, str]] = {"latent_avg": "w_mean"}
    w_mean: Tensor

    def __init__(
        self,
        resolution: int,
        z_dim: int = 512,
        w_dim: int = 512,
        n_mlp: int = 8,
        channels: Mapping[int, int] | None = None,
        channel_multiplier: int = 2,
        conv_clamp: float | None = None,
        mapping_lr_mul: float = 0.01,
    ):
        super().__init__()
        self.channels = channel_table(resolution, channels, channel_multiplier)
        blocks = len(self.channels) - 1
        self.resolution, self.z_dim, self.w_dim, self.n_mlp = resolution, z_dim, w_dim, n_mlp
        self.conv_clamp, self.mapping_lr_mul = conv_clamp, mapping_lr_mul
        self.num_rows = 2 * blocks + 2

        dims = [z_dim] + [w_dim] * n_mlp
        mapping = [EqualLinear(a, b, lr_mul=mapping_lr_mul, activation=True) for a, b in pairwise(dims)]
        self.style = nn.Sequential(PixelNorm(), *mapping)
        self.input = _ConstantInput(self.channels[4])
        self.conv1 = StyledConv(self.channels[4], self.channels[4], w_dim, clamp=conv_clamp)
        self.to_rgb1 = ToRGB(self.channels[4], w_dim, upsample=False, clamp=conv_clamp)
        self.convs, self.to_rgbs, self.noises = nn.ModuleList(), nn.ModuleList(), nn.Module()
        self.noises.register_buffer("noise_0", torch.randn(1, 1, 4, 4))
        for k in range(blocks):
            size = 8 * 2**k
            narrow, wide = self.channels[size], self.channels[size // 2]
            self.convs.append(StyledConv(wide, narrow, w_dim, upsample=True, clamp=conv_clamp))
            self.convs.append(StyledConv(narrow, narrow, w_dim, clamp=conv_clamp))
            self.to_rgbs.append(ToRGB(narrow, w_dim, clamp=conv_clamp))
            for index in (2 * k + 1, 2 * k + 2):
                self.noises.register_buffer(f"noise_{index}", torch.randn(1, 1, size, size))
        self.register_buffer("w_mean", torch.zeros(w_dim), persistent=False)
        self.style_layout = self._layout()

    def _layout(self) -> list[StyleLayer]:
        layout = [StyleLayer("conv1", self.channels[4], 0, False), StyleLayer("to_rgb1", self.channels[4], 1, True)]
        for k in range(len(self.to_rgbs)):
            narrow, wide = self.channels[8 * 2**k], self.channels[4 * 2**k]
            layout.append(StyleLayer(f"convs.{2 * k}", wide, 2 * k + 1, False))
            layout.append(StyleLayer(f"convs.{2 * k + 1}", narrow, 2 * k + 2, False))
            layout.append(StyleLayer(f"to_rgbs.{k}", narrow, 2 * k + 3, True))
        return layout

    @property
    def num_styles(self) -> int:
        """Length of a style code: the sum of all layers' channels, toRGB included."""
        return sum(entry.channels for entry in self.style_layout)

    @property
    def config(self) -> dict[str, Any]:
        """The constructor arguments that rebuild this network, as plain JSON values."""
        return {
            "resolution": self.resolution,
            "z_dim": self.z_dim,
            "w_dim": self.w_dim,
            "n_mlp": self.n_mlp,
            "channels": {str(size): width for size, width in self.channels.items()},
            "conv_clamp": self.conv_clamp,
            "mapping_lr_mul": self.mapping_lr_mul,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Generator:
        """Inverse of `config`."""
        settings = dict(config)
        settings["channels"] = {int(size): int(width) for size, width in settings["channels"].items()}
        return cls(**settings)

    def map(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """Map z (B, z_dim), standard normal, to w (B, w_dim), pulled towards `w_mean` by `truncation`."""
        w = self.style(z)
        return w if truncation == 1.0 else self.truncate(w, truncation)

    def truncate(self, w: Tensor, psi: float, cutoff: int | None = None) -> Tensor:
        """Compute w_mean + psi * (w - w_mean) of W (B, w_dim) or W+ (B, rows, w_dim); only the first `cutoff` rows."""
        centre = self.w_mean.to(w)
        if cutoff is None or w.dim() == 2:
            return centre + psi * (w - centre)
        return torch.cat([centre + psi * (w[:, :cutoff] - centre), w[:, cutoff:]], dim=1)

    def broadcast(self, w: Tensor) -> Tensor:
        """Repeat W (B, w_dim) over all rows: (B, num_rows, w_dim)."""
        return w.unsqueeze(1).expand(-1, self.num_rows, -1)

    @torch.no_grad()
    def estimate_w_mean(self, samples: int = 10_000, seed: int = 0) -> Tensor:
        """Set `w_mean` to the mean of `samples` mapped latents of a seeded stream, and return it."""
        stream = torch.Generator().manual_seed(seed)
        total, left = torch.zeros(self.w_dim, dtype=torch.float64), samples
        while left:
            z = torch.randn(min(left, 2048), self.z_dim, generator=stream)
            total += self.map(z.to(self.w_mean)).double().sum(dim=0).cpu()
            left -= len(z)
        self.w_mean.copy_(total / samples)
        return self.w_mean

    def to_style(self, w_plus: Any) -> Tensor:
        """Compute style codes of W+ (or W, or `Latents`): (B, num_styles), layers in the order of `style_layout`."""
        codes, space = self._codes(w_plus)
        if space == "s":
            return codes
        return torch.cat([self._affine(entry.layer)(codes[:, entry.row]) for entry in self.style_layout], dim=1)

    def _affine(self, layer: str) -> EqualLinear:
        return self.get_submodule(layer).conv.modulation  # type: ignore[union-attr,return-value]

    def _codes(self, latents: Any) -> tuple[Tensor, str]:
        """Return codes and space of a `Latents`, of W+ or of W (broadcast), with shapes checked."""
        codes, space = (latents.codes, latents.space) if hasattr(latents, "codes") else (latents, "w+")
        if space not in ("w+", "s"):
            raise ValueError(f"latents live in space {space!r}; this generator reads 'w+' and 's'")
        if space == "w+" and codes.dim() == 2 and codes.shape[1] == self.w_dim:
            codes = self.broadcast(codes)
        wanted = (self.num_styles,) if space == "s" else (self.num_rows, self.w_dim)
        if tuple(codes.shape[1:]) != wanted:
            shape = ", ".join(map(str, wanted))
            raise ValueError(f"{space} codes have shape {tuple(codes.shape)}, this generator needs (B, {shape})")
        return codes, space

    def synthesize(self, w_plus: Any, noise: Noise = "const") -> Tensor:
        """Synthesise images (B, 3, resolution, resolution), nominally in [-1, 1], not clamped.

        Args:
            w_plus: W+ (B, num_rows, w_dim), W (B, w_dim), or a `Latents` in either space.
            noise: "const" (the stored maps), "random" (fresh draws), "none", or one map per layer (1 or B, 1, r, r).

        Raises:
            ValueError: the codes do not fit this generator, or the noise is not one of the above.
        """
        return self.synthesize_style(self.to_style(w_plus), noise=noise)

    def synthesize_style(self, styles: Tensor, noise: Noise = "const") -> Tensor:
        """Like `synthesize`, from style codes (B, num_styles) in the order of `style_layout`."""
        self._codes_of_style(styles)
        style = iter(styles.split([entry.channels for entry in self.style_layout], dim=1))
        maps = iter(self._noise_maps(noise, styles))
        # The layers keep the layout of their input; with channels last neither convolution nor blur has to rearrange.
        x = self.input.input.expand(len(styles), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        x = self.conv1(x, next(style), next(maps))
        rgb = self.to_rgb1(x, next(style), None)
        for k, to_rgb in enumerate(self.to_rgbs):
            x = self.convs[2 * k](x, next(style), next(maps))
            x = self.convs[2 * k + 1](x, next(style), next(maps))
            rgb = to_rgb(x, next(style), rgb)
        return rgb

    def _codes_of_style(self, styles: Tensor) -> None:
        if styles.dim() != 2 or styles.shape[1] != self.num_styles:
            raise ValueError(
                f"style codes have shape {tuple(styles.shape)}, this generator needs (B, {self.num_styles})"
            )

    def noise_sizes(self) -> list[int]:
        """Return the side of each layer's noise map, in generator order."""
        return [4] + [8 * 2 ** (i // 2) for i in range(len(self.convs))]

    def _noise_maps(self, noise: Noise, like: Tensor) -> list[Tensor | None]:
        sizes = self.noise_sizes()
        if not isinstance(noise, str):
            if len(noise) != len(sizes):
                raise ValueError(f"{len(noise)} noise maps given, this generator has {len(sizes)}")
            return list(noise)
        if noise == "const":
            return [self.noises.get_buffer(f"noise_{i}") for i in range(len(sizes))]
        if noise == "random":
            return [torch.randn(len(like), 1, r, r, dtype=like.dtype, device=like.device) for r in sizes]
        if noise == "none":
            return [None] * len(sizes)
        raise ValueError(f"noise {noise!r} is none of 'const', 'random', 'none'")

    def forward(self, z: Tensor, truncation: float = 1.0, noise: Noise = "random") -> Tensor:
        """Generate images from z (B, z_dim): `map` then `synthesize`; fresh noise by default, as in training."""
        return self.synthesize(self.map(z, truncation), noise=noise)


BUDGET = 2 * 2**30
"""Bytes of features that one pass may hold."""
MOST = 64
"""Images per pass where memory is no matter; fixed, since the last digits depend on the size of a batch."""
_WIDTH = 32768
"""Channels times side of the widest layers of StyleGAN2's configuration F, from 64 pixels on."""
_COPIES = 3
"""Of a layer's float32 features that live at a time: input, output, and what lies between."""


def images_at_once(resolution: int, most: int = MOST) -> int:
    """Return the batch size for pictures of ``resolution`` pixels in a generator or network: 5 at 1024, 21 at 256.

    Args:
        resolution: side of the pictures.
        most: where memory allows more.
    """
    return max(1, min(most, BUDGET // (_COPIES * 4 * _WIDTH * resolution)))
