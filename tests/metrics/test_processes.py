"""Three real processes with uneven shards give the figures of one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from textedit_bench.metrics.frechet import fid
from textedit_bench.metrics.kid import kid
from textedit_bench.metrics.precision_recall import precision, recall

EDITS_CUTS, REFERENCE_CUTS = [11, 2, 37], [40, 29, 1]
WORKER = """
import json, sys
import torch
import torch.distributed as dist
from textedit_bench.metrics.streaming import FrechetDistance, KernelDistance, PrecisionRecall

rank, folder = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=3)
shard = torch.load(f"{folder}/{rank}.pt")
found = {}
for metric in (FrechetDistance(6), KernelDistance(), PrecisionRecall()):
    metric.update(shard["edits"], reference=False)
    metric.update(shard["reference"], reference=True)
    value = metric.compute()
    found[type(metric).__name__] = {k: v.item() for k, v in value.items()} if isinstance(value, dict) else value.item()
if rank == 0:
    print(json.dumps(found))
dist.barrier()
dist.destroy_process_group()
"""


@pytest.mark.slow
def test_three_processes_with_uneven_shards_equal_one_to_1e_10(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    edits = torch.randn(sum(EDITS_CUTS), 6, generator=draw)
    reference = torch.randn(sum(REFERENCE_CUTS), 6, generator=draw) + 0.3
    for rank, parts in enumerate(zip(edits.split(EDITS_CUTS), reference.split(REFERENCE_CUTS), strict=True)):
        # Clones: a slice would be stored with the whole of its tensor.
        torch.save({"edits": parts[0].clone(), "reference": parts[1].clone()}, tmp_path / f"{rank}.pt")
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(rank), str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for rank in range(3)
    ]
    outputs = [worker.communicate(timeout=300)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    found = json.loads(outputs[0])
    assert found["FrechetDistance"] == pytest.approx(fid(edits, reference), rel=1e-10)
    assert found["KernelDistance"] == pytest.approx(kid(edits, reference), rel=1e-10)
    assert found["PrecisionRecall"] == {"precision": precision(edits, reference), "recall": recall(edits, reference)}
