"""Which draw a generated picture of CLIP2GAN keeps."""

from __future__ import annotations

import torch

from textedit_methods.clip2gan.method import choose_distinct

EAST, NORTH = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])


def test_without_a_network_that_tells_subjects_the_closest_to_the_text_is_kept():
    scores = torch.tensor([[0.1, 0.3, 0.2], [0.9, 0.2, 0.1]])
    assert choose_distinct(scores, None).tolist() == [1, 0]


def test_of_the_better_half_the_least_similar_to_the_pictures_before_is_kept():
    scores = torch.tensor([[0.9, 0.1, 0.0, 0.0], [0.9, 0.8, 0.1, 0.0]])
    subjects = torch.stack([torch.stack([EAST] * 4), torch.stack([EAST, NORTH, -EAST, -EAST])])
    assert choose_distinct(scores, subjects).tolist() == [0, 1]  # -EAST is further away, but far from the text


def test_the_first_pictures_do_not_depend_on_the_later_ones():
    stream = torch.Generator().manual_seed(3)
    scores = torch.randn(7, 4, generator=stream)
    subjects = torch.nn.functional.normalize(torch.randn(7, 4, 3, generator=stream), dim=-1)
    whole = choose_distinct(scores, subjects)
    for k in range(1, 7):
        assert torch.equal(choose_distinct(scores[:k], subjects[:k]), whole[:k])
