"""One training of a method on a toy data set, alone or with others: ``every_method.py FOLDER CARD METHOD``.

The environment says who trains with it. How many photos were inverted and what was learnt goes into a file per rank.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file

from textedit_bench.domain import Domain, load_domain
from textedit_bench.registry import method_info, new_editor
from textedit_bench.training import EditorModule

BOTH_STAGES = {"epochs": 2, "adversarial_start": 0.5}
"""Where two networks take turns from some epoch on: one epoch before it, one after."""


def _digest(tensors: Mapping[str, torch.Tensor]) -> str:
    return hashlib.sha256(b"".join(tensors[name].numpy().tobytes() for name in sorted(tensors))).hexdigest()


def main() -> None:
    folder, card, method = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    rank, processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    torch.set_num_threads(1)
    seen: dict[str, object] = {"photos": 0}
    invert = Domain.invert

    def counted(self, photos, *rest):
        seen["photos"] += len(photos.images)
        return invert(self, photos, *rest)

    Domain.invert = counted
    EditorModule.on_train_end = lambda self: seen.update(at_the_end=_digest(self.network.state_dict()))
    info, domain = method_info(method), load_domain(card, "mini")
    both = {name: value for name, value in BOTH_STAGES.items() if set(BOTH_STAGES) <= info.training.keys()}
    editor = new_editor(method, domain, **{**info.trial, **both})
    prompts = list(domain.prompts("evaluation").values())[:1] if info.trains == "per-prompt" else None
    several = {"devices": processes, "strategy": "ddp"} if processes > 1 else {}
    editor.fit(prompts, folder=folder, progress=False, preview_images=0, logger="csv", **several)
    weights = folder / f"weights-{rank}"
    editor.save(weights if info.trains == "per-prompt" else weights / "x.safetensors")
    seen["kept"] = {path.name: _digest(load_file(path)) for path in weights.rglob("*.safetensors")}
    (folder / f"rank-{rank}.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main()
