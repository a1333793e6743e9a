"""Read the released FFCLIP checkpoints: DistributedDataParallel names, with the frozen generator included."""

from __future__ import annotations

from textedit_bench.models.released import ReleasedTensors, StateDictAdapter, part_of
from textedit_methods.ffclip.network import DynamicMapper

_OWN = r"^(?:att_mapper\.)?(att_mapper\.\d{1,3}\.(?!fc\.).+)$"
"""The mapper's names, which are ours too. Every block has a layer ``fc`` that nothing reads."""
_MAX_BLOCKS, _MAX_ROWS, _MAX_DIM = 64, 64, 8192


def _build(tensors: ReleasedTensors) -> DynamicMapper:
    rows, _ = tensors.matrix("att_mapper.0.attention_layer.k_matrix.weight", largest=_MAX_ROWS)
    dim, _ = tensors.matrix("att_mapper.0.q_matrix.weight", largest=_MAX_DIM)
    blocks = {int(name.split(".")[1]) for name in tensors.state}
    if blocks != set(range(len(blocks))) or len(blocks) > _MAX_BLOCKS:
        tensors.refuse(f"the mapper's blocks are not numbered from 0: {sorted(blocks)}")
    return DynamicMapper(rows, dim, len(blocks))


RELEASED = StateDictAdapter(
    trainer="FFCLIP's trainer",
    own_name=part_of(_OWN),
    build=_build,
    missing="no FFCLIP mapper in it (no tensor named att_mapper.0...)",
)
