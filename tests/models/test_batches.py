"""Pictures per pass follow from memory, and not where memory is no matter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.models.stylegan2 import BUDGET, MOST, images_at_once
from textedit_bench.testing.pretend_cuda import PretendCuda


@given(st.integers(3, 6), st.integers(1, MOST))
def test_small_pictures_keep_their_batches(power, most):
    assert images_at_once(2**power, most) == most


@given(st.integers(3, 14), st.integers(1, 200))
def test_there_is_always_a_picture_and_never_more_than_asked_for(power, most):
    assert 1 <= images_at_once(2**power, most) <= most
    assert images_at_once(2 ** (power + 1), most) <= images_at_once(2**power, most)


@pytest.mark.parametrize("resolution", [256, 1024])
def test_a_generator_of_real_size_stays_within_the_budget(resolution):
    """Of features; its weights come on top."""
    import torch

    from textedit_bench.models.stylegan2 import Generator

    with PretendCuda(shapes_only=True) as cuda, torch.no_grad():
        with torch.device("cuda"):
            generator = Generator(resolution)
        count = images_at_once(resolution)
        codes = torch.empty(count, generator.num_rows, generator.w_dim, device="cuda")
        generator.synthesize(codes[:1])  # keeps what the weights alone decide
        before = cuda.memory.start()
        generator.synthesize(codes)
        assert 0.4 * BUDGET < cuda.memory.peak - before < 1.3 * BUDGET
