"""Bench photos of 1024 pixels in a process of its own: ``large_photos.py FOLDER IMAGES SHARD [KILL]``.

A generator of few channels makes the photos and edits them. Every metric that a face domain has is measured: by the
CLIP of the mini tier, and by AlexNet, Inception and FaceNet at their real sizes with random weights; FaceNet's face
detector sees every picture. With KILL the
process ends itself, as a signal would, once that many shards are stored. Prints the peak memory of the bench in bytes,
sampled, since a bench resets the kernel's own mark.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import torch

WEIGHTS = Path(__file__).parents[2] / "datasets" / "textedit_datasets" / "weights"
CARD = """\
name: large
title: Large photos
kind: face
neutral: a face
tiers:
  full:
    resolution: 1024
    networks: {generator: generator.pt, clip: clip.safetensors, judge_clip: judge_clip.safetensors,
               judge_identity: facenet.pt, perceptual: alexnet.pth, features: inception.pth}
    source: {kind: samples}
    splits: {evaluation: 2000, train: 50}
    prompts:
      - {id: blond, target: a face with blond hair, source: a face, phrase: blond hair, trained: true}
"""


def write_card(folder: Path) -> Path:
    """A card and its networks."""
    from facenet_pytorch import InceptionResnetV1

    from textedit_bench.models import Generator
    from textedit_workshop.rehearsal.layouts.judges import write_alexnet, write_inception
    from textedit_workshop.rehearsal.sizes import Sizes

    card = folder / "large.yaml"
    if card.exists():
        return card
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    channels = {4 * 2**level: 4 for level in range(9)}
    network = Generator(1024, 16, 16, n_mlp=1, channels=channels)
    torch.save({"g_ema": network.state_dict(), "latent_avg": torch.zeros(16)}, folder / "generator.pt")
    torch.save(InceptionResnetV1(pretrained=None, classify=False).state_dict(), folder / "facenet.pt")
    write_alexnet(folder / "alexnet.pth", Sizes(resolution=1024), "large")
    write_inception(folder / "inception.pth", Sizes(resolution=1024), "large")
    for name in ("clip", "judge_clip"):
        shutil.copy(WEIGHTS / "shared" / f"{name}.safetensors", folder)
    card.write_text(CARD)
    return card


def _end_after(results: Path, shards: int) -> None:
    def watch() -> None:
        while len(list(results.glob("full/large/interfacegan/*/shards/*/manifest.json"))) < shards:
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _watch_memory() -> list[int]:
    """One number that rises with the resident bytes of this process."""
    peak, page = [0], resource.getpagesize()

    def watch() -> None:
        while True:
            peak[0] = max(peak[0], int(Path("/proc/self/statm").read_text().split()[1]) * page)
            time.sleep(0.005)

    threading.Thread(target=watch, daemon=True).start()
    return peak


def main() -> None:
    """See the module."""
    from textedit_bench.bench.progress import PlainReporter
    from textedit_bench.bench.request import BenchRequest
    from textedit_bench.benchmark import run_bench

    folder, images, shard, *kill = sys.argv[1:]
    results = Path(folder) / f"results-{images}-{shard}"
    if kill:
        _end_after(results, int(kill[0]))
    request = BenchRequest(
        methods=("interfacegan",),
        datasets=(str(write_card(Path(folder))),),
        tier="full",
        images=int(images),
        shard=int(shard),
        strengths=(0.0, 1.0, 2.0),
        settings={"samples": 32},
        controls=False,
        results=results,
    )
    peak = _watch_memory()
    summary = run_bench(request, PlainReporter(sys.stderr))
    assert summary.exit_code == 0, summary.text()
    print(peak[0])


if __name__ == "__main__":
    main()
