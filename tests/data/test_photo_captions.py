"""Captions of training photos: true of what was drawn, never of photos that are edited, and read from files safely."""

from __future__ import annotations

import pytest
import torch

from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.photos import COUNT, read_captions


@pytest.mark.parametrize("name", ["ffhq", "church"])
def test_captions_of_a_world_fit_the_photo_and_are_the_same_at_every_call(name):
    domain = load_domain(name, tier="mini")
    photos = domain.photos("train", 12)
    said = domain.captions(photos)
    assert [len(texts) for texts in said] == [COUNT] * 12
    assert said[3:5] == domain.captions(domain.photos("train", 2, 3))
    # A network that knows neither grammar nor factors finds each photo by its captions, one of twelve by chance.
    clip = domain.network("judge_clip")
    with torch.no_grad():
        pictures = torch.nn.functional.normalize(clip.encode_image(photos.images), dim=1)
        words = [torch.nn.functional.normalize(clip.encode_text(list(texts)), dim=1).mean(0) for texts in said]
    assert ((torch.stack(words) @ pictures.T).argmax(1) == torch.arange(12)).sum() >= 10


def test_nothing_is_said_of_photos_that_are_edited():
    domain = load_domain("ffhq", tier="mini")
    with pytest.raises(UserError, match=r"captions: asked of evaluation-00000; valid: photos of the train split"):
        domain.captions(domain.photos("evaluation", 1))


def test_lines_of_a_file_are_the_captions(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "7.txt").write_text("A woman with  red hair.\n\n  smiling\n", encoding="utf-8")
    assert read_captions(tmp_path, "a/7.jpg") == ("A woman with red hair", "smiling")


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (None, "7.jpg", "No such file"),
        (b"\xff\xfe", "7.jpg", "no UTF-8 text"),
        (b"\n \n", "7.jpg", "holds none"),
        (b"a\x1b[31m", "7.jpg", "cannot be printed"),
        (b"a", "../7.jpg", "outside"),
        (b"a\n" * 600_000, "7.jpg", "bytes"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, content, name, said):
    folder = tmp_path / "texts"
    folder.mkdir()
    if content is not None:
        (folder / name).with_suffix(".txt").write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        read_captions(folder, name)
    assert "\n" not in str(caught.value)
