"""Training of editors with Lightning: code shared by all trainable methods."""

from textedit_bench.training.codes import inverted_by, training_codes
from textedit_bench.training.data import LatentData
from textedit_bench.training.lightning_module import EditorModule
from textedit_bench.training.loss_weights import loss_weights
from textedit_bench.training.options import RunOptions
from textedit_bench.training.photos import TrainingPhotos
from textedit_bench.training.run import RunResult, train

__all__ = [
    "EditorModule",
    "LatentData",
    "RunOptions",
    "RunResult",
    "TrainingPhotos",
    "inverted_by",
    "loss_weights",
    "train",
    "training_codes",
]
