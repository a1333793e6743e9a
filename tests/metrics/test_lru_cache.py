"""Results that come back are not computed again, and the memory stays small."""

import pytest
import torch
from torch import Tensor

from textedit_bench.metrics.images import ImageBatch, ImageFeatures, LRUCache


def test_the_result_asked_for_last_stays() -> None:
    made: list[str] = []
    recent: LRUCache[str] = LRUCache(2)

    def get(key: str) -> str:
        return recent(key, lambda: made.append(key) or key)  # type: ignore[func-returns-value]

    assert [get(key) for key in "abacab"] == list("abacab")
    assert made == ["a", "b", "c", "b"], "b went when c came, a did not"
    assert len(recent) == 2


def test_a_failure_is_not_remembered() -> None:
    recent: LRUCache[float] = LRUCache(1)
    with pytest.raises(ZeroDivisionError):
        recent("x", lambda: 1 / 0)
    assert recent("x", lambda: 2.0) == 2.0
    with pytest.raises(ValueError, match="limit"):
        LRUCache(0)


def test_a_batch_of_edits_keeps_the_rows_of_the_pass_it_was_part_of() -> None:
    sizes: list[int] = []

    def compute(images: Tensor) -> Tensor:
        sizes.append(len(images))
        return images.mean((2, 3))

    features = ImageFeatures(compute)
    pictures = torch.linspace(-1, 1, 5)[:, None, None, None].expand(5, 3, 4, 4)
    batch, part = ImageBatch.of(pictures), ImageBatch.of(pictures[:3])
    first = features(batch, keep=False)
    assert torch.equal(features(batch, keep=False), first)
    features(part, keep=False)
    assert sizes == [5, 3], "a batch comes back as a whole or not at all"
    features(part, keep=True)
    features(batch, keep=True)
    features(ImageBatch.of(pictures[1:]), keep=False)
    assert sizes == [5, 3, 3, 2], "kept rows are known in any batch"


def test_a_batch_splits_into_the_batches_of_its_parts() -> None:
    pictures = torch.rand(5, 3, 4, 4) * 2 - 1
    pictures[4, 0, 0, 0] = float("nan")
    whole = ImageBatch.of(pictures)
    assert ImageBatch.of(whole) is whole
    assert whole.shape == (5, 3, 4, 4)
    for part, given in zip(whole.split(2), pictures.split(2), strict=True):
        alone = ImageBatch.of(given)
        assert torch.equal(part.images, alone.images)
        assert (part.keys, part.finite.tolist()) == (alone.keys, alone.finite.tolist())
