"""Geometry of the encoders without running the big network; the official numbers are in test_parity_encoder.py."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.models import CheckpointError
from textedit_bench.models.building import build_encoder
from textedit_bench.models.checkpoint import Checkpoint
from textedit_bench.models.encoder import StyleEncoder, StyleHead


def official(rows: int) -> dict[str, torch.Tensor]:
    with torch.device("meta"):
        return dict(StyleEncoder(rows).state_dict())


@pytest.mark.parametrize(("rows", "entries", "parameters"), [(18, 621, 267_136_704), (14, 565, 209_450_688)])
def test_official_entry_and_parameter_counts(rows, entries, parameters):
    with torch.device("meta"):
        network = StyleEncoder(rows)
    assert len(network.state_dict()) == entries
    assert sum(p.numel() for p in network.parameters()) == parameters


@pytest.mark.parametrize(
    ("shape", "wanted"), [((512, 512), (192, 256)), ((384, 512), (192, 256)), ((192, 256), (192, 256))]
)
def test_cars_lose_the_black_bars_of_square_pictures_only(shape, wanted):
    with torch.device("meta"):
        encoder = StyleEncoder(16, input_size=(192, 256))
    images = torch.zeros(1, 3, *shape)
    if shape[0] == shape[1]:
        images[:, :, 64:448] = 1.0
    else:
        images += 1.0
    prepared = encoder.prepare(images)
    assert tuple(prepared.shape[-2:]) == wanted
    torch.testing.assert_close(prepared, torch.ones(1, 3, *wanted))


@pytest.mark.parametrize("size", [(16, 16), (12, 16)])
def test_heads_end_at_one_pixel_for_square_and_oblong_inputs(size):
    head = StyleHead(16, 512)
    assert head(torch.zeros(2, 512, *size)).shape == (2, 512)


def build(options, **changes):
    checkpoint = Checkpoint(
        "weights.pt", "e4e-psp", {"encoder": official(14)}, torch.zeros(14, 512), {"encoder": options}
    )
    for name, value in changes.items():
        setattr(checkpoint, name, value)
    with torch.device("meta"):
        return build_encoder(checkpoint)


def test_options_choose_the_kind_and_the_input_size():
    assert build({"encoder_type": "GradualStyleEncoder", "output_size": 256}).mode == "psp"
    car = build({"encoder_type": "Encoder4Editing", "dataset_type": "cars_encode", "start_from_latent_avg": True})
    assert (car.mode, car.input_size, car.add_average) == ("e4e", (192, 256), True)
    with pytest.raises(CheckpointError, match="ProgressiveStage"):
        build({"encoder_type": "ProgressiveStage"})
    with pytest.raises(CheckpointError, match="other inputs"):
        build({"label_nc": 19})
    with pytest.raises(CheckpointError, match="file has none"):
        build({"start_from_latent_avg": True}, latent_avg=None)
    with pytest.raises(CheckpointError, match=r"latent_avg \(3, 512\)"):
        build({}, latent_avg=torch.zeros(3, 512))
