"""Read the released files: a mapper (``net_*.pth``), and StyleCLIP's relevance matrix (``fs3.npy``)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from textedit_bench.errors import CheckpointError
from textedit_bench.models.released import ReleasedTensors, StateDictAdapter, part_of, read_matrix
from textedit_methods.deltaedit.network import GROUPS, VECTORS, DeltaMapper, DeltaModel

# Released file: the bare state dict; trainers that wrap it add a prefix.
_OWN = r"^(?:net\.|mapper\.)?((?:sm|cm|fm)_(?:coarse|medium|fine)\.mapping\..+)$"
_MAX_DEPTH = 16


def _build(tensors: ReleasedTensors) -> DeltaModel:
    first = "mapper.{}.mapping.1.weight"
    depth = sum(name.startswith("mapper.sm_coarse.mapping.") and name.endswith(".weight") for name in tensors.state)
    if not 1 <= depth <= _MAX_DEPTH:
        tensors.refuse(f"a mapper of {depth} layers is out of range")
    groups = {group: (VECTORS.get(group, 1), tensors.matrix(first.format(f"sm_{group}"))[1]) for group in GROUPS}
    condition = tensors.matrix(first.format("cm_coarse"))[1]
    return DeltaModel(DeltaMapper(groups, condition, depth=depth))


RELEASED = StateDictAdapter(
    trainer="DeltaEdit's trainer",
    own_name=part_of(_OWN, prefix="mapper."),
    build=_build,
    missing="no DeltaEdit mapper in it (no tensor named sm_coarse.mapping.1...)",
)


def load_relevance(path: str | Path, rows: int, width: int) -> Tensor:
    """Load a relevance matrix in StyleCLIP's layout, [rows, width].

    Files of the released script end at the 128-pixel layers; missing rows are zero, so those channels are never edited.

    Args:
        path: a ``.npy`` file of shape [1 to rows, width].
        rows: the generator's convolution channels.
        width: that of CLIP.

    Raises:
        CheckpointError: the file is missing, damaged, would execute code, or does not fit.
    """
    matrix = read_matrix(Path(path))
    if matrix.shape[1] != width or len(matrix) > rows:
        raise CheckpointError(
            f"{path}: shape {tuple(matrix.shape)} does not fit {rows} channels and a CLIP of width {width}"
        )
    return torch.cat([matrix, torch.zeros(rows - len(matrix), width)])
