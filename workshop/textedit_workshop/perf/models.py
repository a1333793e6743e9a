"""Speed of the backbones: `python -m textedit_workshop.perf.models [--device cuda] [--quick] [--json FILE]`.

Every figure is a ratio against the textbook form of the same layer (textbook.py) with the same weights, run in
alternation in one process, equal results asserted. On a GPU, bfloat16 follows with its error.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from textedit_bench.devices import HIGHEST, use_precision
from textedit_bench.files import write_text
from textedit_bench.models.clip import published_input
from textedit_bench.models.encoder import StyleEncoder
from textedit_bench.models.stylegan2 import Generator
from textedit_workshop.perf import textbook
from textedit_workshop.perf.memory import peak_memory_bytes
from textedit_workshop.perf.timing import Timing, compare, convolution_rate, synchronised

TOLERANCE = 1e-4
HEADER = f"{'what':44} {'ours':>9} {'textbook':>9} {'ratio':>6} {'low..high':>11} {'of conv':>8} {'error':>8}"


def generator_flops(generator: Generator, batch: int) -> float:
    """Operations of the convolutions of one forward pass; an up-convolution counts its nine taps per input pixel."""
    total = 0.0
    for entry in generator.style_layout:
        layer: Any = generator.get_submodule(entry.layer)
        weight = layer.conv.weight
        block = 0 if entry.layer in ("conv1", "to_rgb1") else _block(entry.layer) + 1
        up = entry.layer.startswith("convs.") and int(entry.layer.split(".")[1]) % 2 == 0
        side = 4 * 2 ** (block - 1 if up else block)
        total += 2.0 * weight.numel() * side * side
    return total * batch


def _block(layer: str) -> int:
    index = int(layer.split(".")[1])
    return index // 2 if layer.startswith("convs.") else index


def generator_rows(device: torch.device, quick: bool) -> list[Timing]:
    """Forward at 256 and 1024, and forward with backward to W+ at 256."""
    rate = convolution_rate(device)
    cases = [(256, 1), (256, 4)] + ([] if quick else [(1024, 1)])
    rows = []
    for size, batch in cases:
        generator = Generator(size).to(device).eval().requires_grad_(False)
        codes = torch.randn(batch, generator.num_rows, 512, device=device)
        with torch.no_grad():
            rows.append(
                compare(
                    f"generator {size}, batch {batch}, forward",
                    _bound(generator.synthesize, codes),
                    _bound(textbook.synthesize, generator, codes),
                    repeats=3,
                    tolerance=TOLERANCE,
                    device=device,
                    flops=generator_flops(generator, batch),
                    convolution_rate=rate,
                )
            )
        if size == 256 and batch == 1:
            rows.append(_backward_row(generator, codes, device))
    return rows


def _backward_row(generator: Generator, codes: Tensor, device: torch.device) -> Timing:
    cotangent = torch.randn(len(codes), 3, generator.resolution, generator.resolution, device=device)

    def gradient(synthesize: Callable[[Tensor], Tensor]) -> Tensor:
        w_plus = codes.clone().requires_grad_()
        return torch.autograd.grad((synthesize(w_plus) * cotangent).sum(), [w_plus])[0]

    return compare(
        f"generator {generator.resolution}, batch {len(codes)}, forward + backward to W+",
        lambda: gradient(generator.synthesize),
        lambda: gradient(lambda w: textbook.synthesize(generator, w)),
        repeats=3,
        tolerance=1e-2,  # a leaky ReLU input next to zero may change side
        device=device,
    )


def preprocessing_row(device: torch.device) -> Timing:
    """The published CLIP input of a 1024 picture."""
    images = torch.rand(1, 3, 1024, 1024, device=device) * 2 - 1
    return compare(
        "published CLIP input, 1024, batch 1",
        _bound(published_input, images, 224),
        _bound(textbook.clip_input, images),
        repeats=3,
        tolerance=TOLERANCE,
        device=device,
    )


def encoder_seconds(device: torch.device) -> tuple[float, float]:
    """Seconds of one e4e forward (18 rows, batch 1), and the same with channels-last weights and input."""
    encoder = StyleEncoder(18).to(device).eval().requires_grad_(False)
    images = torch.rand(1, 3, 256, 256, device=device)
    with torch.no_grad():
        encoder(images)
        plain = synchronised(_bound(encoder, images), device)
        encoder, images = encoder.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
        encoder(images)
        return plain, synchronised(_bound(encoder, images), device)


def bfloat16_rows(device: torch.device) -> list[str]:
    """Rate and error of the generator in bfloat16 autocast, on an accelerator."""
    lines = []
    for size, batch in ((256, 4), (1024, 4)):
        generator = Generator(size).to(device).eval().requires_grad_(False)
        codes = torch.randn(batch, generator.num_rows, 512, device=device)
        with torch.no_grad():
            exact = generator.synthesize(codes)
            full = synchronised(_bound(generator.synthesize, codes), device)
            with torch.autocast(device.type, torch.bfloat16):
                rough = generator.synthesize(codes).float()
                half = synchronised(_bound(generator.synthesize, codes), device)
        error = float((rough - exact).square().mean().sqrt() / exact.std())
        gain = f"{full / half:.2f}x float32, rms error {error:.2%} of the image's deviation"
        lines.append(f"generator {size}, batch {batch}, bfloat16: {gain}")
    return lines


def memory_line(form: str, size: int, batch: int) -> int:
    """Peak bytes of one forward pass above the network itself, in a process of its own."""
    generator = Generator(size).eval().requires_grad_(False)
    codes = torch.randn(batch, generator.num_rows, 512)
    before = peak_memory_bytes()
    with torch.no_grad():
        generator.synthesize(codes) if form == "ours" else textbook.synthesize(generator, codes)
    return peak_memory_bytes() - before


def _peak(form: str, size: int, batch: int) -> int:
    command = [sys.executable, "-m", "textedit_workshop.perf.models", "--memory", form, str(size), str(batch)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _bound(call: Callable[..., Tensor], *arguments: object) -> Callable[[], Tensor]:
    return lambda: call(*arguments)


def _line(row: Timing) -> str:
    share = "" if row.share_of_convolution is None else f"{row.share_of_convolution:.0%}"
    spread = f"{row.ratio_low:.2f}..{row.ratio_high:.2f}"
    figures = f"{row.ours_s:8.3f}s {row.textbook_s:8.3f}s {row.ratio:5.2f}x {spread:>11} {share:>8} {row.error:8.1e}"
    return f"{row.name:44} {figures}"


def main(arguments: list[str] | None = None) -> None:
    """Prints the table, and writes it as JSON where a file is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=2, help="processor threads")
    parser.add_argument("--quick", action="store_true", help="leave out 1024 and the memory figures")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--memory", nargs=3, metavar=("FORM", "SIZE", "BATCH"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    if options.memory:
        form, size, batch = options.memory
        print(memory_line(form, int(size), int(batch)))
        return
    device = torch.device(options.device)
    use_precision(HIGHEST, device)
    torch.manual_seed(0)
    rows = [*generator_rows(device, options.quick), preprocessing_row(device)]
    print(HEADER, *(_line(row) for row in rows), sep="\n")
    plain, channels_last = encoder_seconds(device)
    gain = plain / channels_last
    print(f"e4e forward, 18 rows, batch 1: {plain:.3f}s; channels last {channels_last:.3f}s ({gain:.2f}x)")
    if device.type == "cuda":
        print(*bfloat16_rows(device), sep="\n")
    elif not options.quick:
        ours, theirs = _peak("ours", 1024, 4), _peak("textbook", 1024, 4)
        print(
            f"peak memory, 1024, batch 4: {ours / 2**30:.2f} GiB against {theirs / 2**30:.2f} GiB ({ours / theirs:.2f})"
        )
    if options.json:
        write_text(options.json, json.dumps([row.as_dict() for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
