"""Which draw a generated picture of CLIP2GAN keeps."""

from __future__ import annotations

import torch

from textedit_methods.clip2gan.choosing import choose_distinct

EAST, NORTH = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])


def test_without_a_network_that_tells_subjects_the_closest_to_the_text_is_kept():
    scores = torch.tensor([[0.1, 0.3], [0.9, 0.2]])
    assert choose_distinct(scores, None, 0.5).tolist() == [1, 0]


def test_a_subject_seen_before_gives_way_to_a_new_one():
    scores = torch.tensor([[0.9, 0.1], [0.9, 0.1]])
    subjects = torch.stack([torch.stack([EAST, NORTH]), torch.stack([EAST, NORTH])])
    assert choose_distinct(scores, subjects, 0.5).tolist() == [0, 1]


def test_where_all_were_seen_the_least_similar_one_is_kept():
    scores = torch.tensor([[0.9, 0.1], [0.9, 0.1]])
    near = torch.nn.functional.normalize(torch.tensor([1.0, 0.5]), dim=0)
    subjects = torch.stack([torch.stack([EAST, EAST]), torch.stack([EAST, near])])
    assert choose_distinct(scores, subjects, 0.5).tolist() == [0, 1]


def test_the_first_pictures_do_not_depend_on_the_later_ones():
    stream = torch.Generator().manual_seed(3)
    scores = torch.randn(7, 4, generator=stream)
    subjects = torch.nn.functional.normalize(torch.randn(7, 4, 3, generator=stream), dim=-1)
    whole = choose_distinct(scores, subjects, 0.4)
    for k in range(1, 7):
        assert torch.equal(choose_distinct(scores[:k], subjects[:k], 0.4), whole[:k])
