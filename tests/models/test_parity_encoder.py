"""e4e reproduces the official codes, from a file in the published layout (encoder and decoder together)."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.models import load_encoder


@pytest.mark.slow
@torch.no_grad()
def test_e4e_codes(parity, tmp_path):
    fixture = parity("e4e_256")
    state = {f"encoder.{name}": tensor for name, tensor in fixture.state().items()}
    options = {"start_from_latent_avg": True, "encoder_type": "Encoder4Editing", "stylegan_size": 256}
    content = {"state_dict": state, "latent_avg": fixture.extra("latent_avg"), "opts": options}
    torch.save(content, tmp_path / "weights")
    del state, content
    encoder = load_encoder(tmp_path / "weights")
    image = fixture.input("image")
    fixture.check("codes", encoder(image))
    fixture.check("codes_plus_avg", encoder.encode(image))
    for name, tap in zip(("c1", "c2", "c3"), encoder.features(image), strict=True):
        fixture.check(name, tap)
    for stage in (0, 5):
        fixture.check(f"codes_stage{stage}", encoder(image, stage=stage))
