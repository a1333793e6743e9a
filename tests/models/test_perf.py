"""The speed table compares equal results and counts operations correctly."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.models import Generator
from textedit_bench.models.clip import published_input
from textedit_workshop.perf import textbook
from textedit_workshop.perf.models import generator_flops
from textedit_workshop.perf.timing import compare

CPU = torch.device("cpu")


def test_different_results_are_not_timed():
    with pytest.raises(AssertionError, match="layer: results differ"):
        compare("layer", lambda: torch.ones(3), lambda: torch.zeros(3) + 2, repeats=1, tolerance=1e-3, device=CPU)


def test_a_row_reports_medians_and_the_ratio():
    row = compare("layer", lambda: torch.ones(3), lambda: torch.ones(3), repeats=3, tolerance=0.0, device=CPU)
    assert row.error == 0 and row.ratio == pytest.approx(row.textbook_s / row.ours_s)
    assert row.ratio_low <= row.ratio_high and row.share_of_convolution is None


def test_operations_of_a_small_generator_counted_by_hand():
    generator = Generator(8, z_dim=2, w_dim=2, n_mlp=1, channels={4: 3, 8: 2})
    taps = 16 * 9 * 3 * 3 + 16 * 3 * 3  # conv1, to_rgb1 at 4x4
    taps += 16 * 9 * 2 * 3 + 64 * 9 * 2 * 2 + 64 * 3 * 2  # up from 4x4, conv and to_rgb at 8x8
    assert generator_flops(generator, batch=5) == 5 * 2 * taps


def test_the_textbook_clip_input_is_the_same_picture():
    images = torch.rand(1, 3, 64, 64) * 2 - 1
    torch.testing.assert_close(textbook.clip_input(images), published_input(images, 224))
