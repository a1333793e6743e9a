"""The delta mapper gives the numbers of the published code, at any generator's size; the mask is StyleCLIP's."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.errors import UserError
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.stylespace.statistics import editable_widths, with_rgb, without_rgb
from textedit_methods.deltaedit.method import DeltaEdit, channels_to_edit, masked_offset
from textedit_methods.deltaedit.network import DeltaMapper, layers, split_widths, unit_difference
from textedit_methods.deltaedit.training import cosine_term

CONV_WIDTHS = {  # StyleGAN2 config-f, channel multiplier 2
    256: [512] * 10 + [256, 256, 128],
    512: [512] * 10 + [256, 256, 128, 128, 64],
    1024: [512] * 10 + [256, 256, 128, 128, 64, 64, 32],
}


def test_published_numbers(parity, tmp_path):
    """Through a released file, mask included."""
    published = parity("deltaedit_mapper")
    torch.save(published.state(), tmp_path / "net_face.pth")
    mapper = DeltaEdit.load_network(tmp_path / "net_face.pth")
    styles, features, difference = (published.input(name) for name in ("s", "clip_image", "delta_t"))
    published.check("delta_s", mapper(styles, torch.cat([features, unit_difference(difference).expand(2, -1)], 1)))
    for threshold in (0.03, 0.08):
        keep = channels_to_edit(published.input("fs3"), difference, threshold, "x")
        offset = masked_offset(mapper, styles[:1], 3 * features[:1], difference, keep)
        published.check(f"delta_s_masked_{threshold}", offset)


def test_published_decoding_leaves_torgb_alone(parity):
    """The released decoder takes convolution styles and recomputes toRGB's from W+."""
    published = parity("deltaedit_decode_g64")
    generator = Generator(64).eval()
    generator.load_state_dict(published.state())
    whole = generator.to_style(published.input("wplus"))
    published.check("s", without_rgb(generator, whole))
    published.check("image", generator.synthesize_style(whole))
    edited = whole + with_rgb(generator, published.input("s_delta"))
    published.check("image_edit", generator.synthesize_style(edited))


@pytest.mark.parametrize(("side", "fine"), [(256, 2176), (512, 2368), (1024, 2464)])
def test_groups_of_the_published_generators(side, fine):
    assert split_widths(CONV_WIDTHS[side]) == {"coarse": (3, 512), "medium": (4, 512), "fine": (1, fine)}


@given(st.lists(st.integers(1, 4), min_size=3, max_size=17), st.integers(0, 3), st.integers(1, 4))
def test_any_generator_is_covered_once_and_in_order(widths, hidden, depth):
    groups = split_widths(widths)
    assert sum(vectors * width for vectors, width in groups.values()) == sum(widths)
    mapper = DeltaMapper(groups, 6, hidden, depth)
    assert mapper(torch.randn(2, sum(widths)), torch.randn(2, 6)).shape == (2, sum(widths))
    again = DeltaMapper.from_config(mapper.config)
    assert [p.shape for p in again.parameters()] == [p.shape for p in mapper.parameters()]


def test_too_few_vectors_are_refused():
    with pytest.raises(ValueError, match="three groups"):
        split_widths([4, 4])


def test_a_stack_is_normalised_over_its_vectors_by_hand():
    """Vectors 1, 2, 2 of one channel: divided by sqrt((1 + 4 + 4) / 3)."""
    norm = layers(1, 1, norm=True).mapping[0]
    found = norm(torch.tensor([[[1.0], [2.0], [2.0]]])).flatten().tolist()
    assert found == pytest.approx([1 / 3**0.5, 2 / 3**0.5, 2 / 3**0.5], rel=1e-6)


def test_a_group_reads_nothing_of_the_others():
    mapper = DeltaMapper({"coarse": (3, 2), "medium": (4, 2), "fine": (1, 5)}, 4)
    styles, condition = torch.randn(1, 19), torch.randn(1, 4)
    changed = styles.clone()
    changed[:, 6:14] += 1
    before, after = mapper(styles, condition), mapper(changed, condition)
    assert torch.equal(before[:, :6], after[:, :6]) and torch.equal(before[:, 14:], after[:, 14:])
    assert not torch.equal(before[:, 6:14], after[:, 6:14])


def test_wrong_shapes_are_refused():
    mapper = DeltaMapper({"coarse": (3, 2), "medium": (4, 2), "fine": (1, 5)}, 4)
    with pytest.raises(ValueError, match="B, 19"):
        mapper(torch.zeros(1, 18), torch.zeros(1, 4))
    with pytest.raises(ValueError, match="1, 4"):
        mapper(torch.zeros(1, 19), torch.zeros(2, 4))


def test_mask_uses_the_raw_difference():
    """Twice the difference passes at twice the threshold: it is not normalised before."""
    relevance = torch.eye(3)
    difference = torch.tensor([0.01, -0.04, 0.03])
    assert channels_to_edit(relevance, difference, 0.03, "x").tolist() == [False, True, True]
    assert channels_to_edit(relevance, 2 * difference, 0.06, "x").tolist() == [False, True, True]


def test_a_threshold_that_nothing_reaches_says_what_would():
    with pytest.raises(UserError, match=r"threshold 0\.5 .* 'blond hair'.* 0\.04"):
        channels_to_edit(torch.eye(2), torch.tensor([0.01, -0.04]), 0.5, "blond hair")


def test_the_cosine_term_is_the_published_one_by_hand():
    predicted, wanted = torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([[1.0, 1.0], [0.0, -1.0]])
    assert float(cosine_term(predicted, wanted)) == pytest.approx(1 - (0.5**0.5 - 1) / 2)


def test_styles_without_torgb_go_there_and_back():
    generator = Generator(16, 6, 6, n_mlp=1, channels={4: 5, 8: 4, 16: 3})
    change = torch.randn(2, sum(editable_widths(generator)))
    whole = with_rgb(generator, change)
    assert torch.equal(without_rgb(generator, whole), change)
    parts = zip(
        generator.style_layout, whole.split([entry.channels for entry in generator.style_layout], 1), strict=True
    )
    assert all(bool(part.any()) != entry.is_rgb for entry, part in parts)
