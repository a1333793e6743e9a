"""Sizes of StyleGAN2 networks: the resolutions and the width of each."""

from __future__ import annotations

from collections.abc import Mapping


def resolutions(resolution: int) -> list[int]:
    """Return [4, 8, ..., resolution].

    Raises:
        ValueError: the resolution is no power of two, or smaller than 8.
    """
    if resolution < 8 or resolution & (resolution - 1):
        raise ValueError(f"resolution must be a power of two >= 8, got {resolution}")
    return [1 << k for k in range(2, resolution.bit_length())]


def channel_table(resolution: int, channels: Mapping[int, int] | None, multiplier: int) -> dict[int, int]:
    """Return feature channels per resolution from 4: the given ones, or config F's min(512, 16384 multiplier / size).

    Raises:
        ValueError: `channels` lacks a resolution.
    """
    sizes = resolutions(resolution)
    if channels is None:
        return {size: 512 if size <= 32 else min(512, 16384 * multiplier // size) for size in sizes}
    missing = [size for size in sizes if size not in channels]
    if missing:
        raise ValueError(f"channels lacks resolutions {missing}")
    return {size: int(channels[size]) for size in sizes}
