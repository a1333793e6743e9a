"""StyleSpace's arithmetic and the authors' files: places of channels, edits, ranking, regions, spoilt files."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textedit_bench.errors import UserError
from textedit_bench.models.loading import load_generator
from textedit_methods.stylespace.channels import Channels, local_channels, ranking, score
from textedit_methods.stylespace.method import StyleSpace
from textedit_methods.stylespace.named import NAMED
from textedit_methods.stylespace.released import read_examples, read_logits, read_regions


@pytest.fixture
def published(parity):
    return parity("stylespace_channels")


@pytest.fixture
def channels(published, tmp_path):
    """The fixture's statistics by way of the authors' file."""
    widths = [width for _, width in published.manifest["config"]["s_layout"]]
    statistics = [published.input("code_mean"), published.input("code_std_raw").abs()]
    layers = [[part.numpy() for part in whole.split(widths)] for whole in statistics]
    (tmp_path / "S_mean_std").write_bytes(pickle.dumps(layers, protocol=2))
    return StyleSpace.load_network(tmp_path / "S_mean_std")


def _is_rgb(published):
    return torch.cat(
        [torch.full((width,), "ToRGB" in name) for name, width in published.manifest["config"]["s_layout"]]
    )


def test_one_channel_moves_as_published(published, channels):
    config, styles = published.manifest["config"], published.input("s")
    for layer, channel in config["edits"]:
        moved = torch.stack([channels(styles, layer, channel, alpha) for alpha in config["alpha"]], dim=1)
        position = channels.position(layer, channel)
        published.check(f"edit_{layer}_{channel}", moved[:, :, position])
        others = torch.arange(len(channels.std)) != position
        assert torch.equal(moved[:, :, others], styles[:, None, others].expand(-1, 3, -1))


def test_layers_and_channels_are_counted_as_published(published, channels):
    positions = range(0, config_channels := published.manifest["config"]["channels"], 61)
    places = channels.places(positions)
    published.check("layer_channel", torch.tensor(places))
    assert [channels.position(*place) for place in places] == list(positions)
    assert config_channels == len(channels.mean)
    for layer, channel, said in ((26, 0, "0 to 25"), (-1, 0, "0 to 25"), (15, 256, "0 to 255"), (0, -1, "0 to 511")):
        with pytest.raises(UserError, match=said):
            channels.position(layer, channel)


def test_examples_rank_channels_as_published(published, channels):
    push, noise = (published.input(name) for name in ("push", "positives_noise"))
    codes = channels.mean + channels.std * (push**3 + 0.8 * noise)
    found = score(channels.normalised(codes))
    published.check("score", found)
    order = ranking(found, _is_rgb(published))
    assert len(order) == published.manifest["config"]["channels_without_rgb"]
    layers, places = torch.tensor(channels.places(order[:40].tolist())).T
    published.check("ranked_layers", layers)
    published.check("ranked_channels", places)
    published.check("ranked_scores", found[order[:40]])


def test_local_channels_are_the_published_ones(published, channels, tmp_path):
    shares = published.input("regions_raw").clamp(min=0).double()
    (tmp_path / "semantic_top_32").write_bytes(pickle.dumps([part.numpy() for part in shares.split(channels.widths)]))
    found = local_channels(read_regions(tmp_path / "semantic_top_32", channels.widths), [10], _is_rgb(published))
    layers, places = torch.tensor(channels.places(found.tolist())).T
    published.check("local_layers", layers)
    published.check("local_channels", places)


def test_an_edited_channel_renders_as_published(parity, tmp_path):
    published = parity("stylespace_edit_g64")
    average = torch.from_numpy(published.fill.tensor("latent_avg", [512], published.manifest["salt"]))
    torch.save({"g_ema": published.state(), "latent_avg": average}, tmp_path / "g.pt")
    generator = load_generator(tmp_path / "g.pt")
    std = published.input("code_std_raw").abs()
    channels = Channels(torch.zeros_like(std), std, published.manifest["config"]["s_widths"])
    assert list(channels.widths) == [layer.channels for layer in generator.style_layout]
    with torch.no_grad():
        styles = generator.to_style(published.input("wplus"))
        published.check("styles", styles)
        for layer, channel, alpha in published.manifest["config"]["edits"]:
            images = generator.synthesize_style(channels(styles, layer, channel, alpha))
            published.check(f"image_{layer}_{channel}", images)


@given(st.lists(st.tuples(st.floats(0, 4, width=32), st.booleans()), min_size=1, max_size=30))
def test_a_ranking_falls_and_has_every_channel_of_a_convolution_once(channels):
    values, is_rgb = torch.tensor([value for value, _ in channels]), torch.tensor([rgb for _, rgb in channels])
    order = ranking(values, is_rgb)
    assert sorted(order.tolist()) == [at for at, (_, rgb) in enumerate(channels) if not rgb]
    assert (values[order].diff() <= 0).all()


def test_a_channel_that_never_varies_is_nothing_to_go_by():
    channels = Channels(torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.5]), [2])
    found = channels.normalised(torch.tensor([[1.0, 3.0], [1.0, 4.0]]))
    assert found.tolist() == [[0.0, 2.0], [0.0, 4.0]]
    assert score(found).tolist() == [0.0, 3.0]


def test_published_names_lie_in_the_published_layouts_and_leave_torgb_alone(published):
    layout = published.manifest["config"]["s_layout"]
    for dataset, layers in (("ffhq", layout), ("car", layout[:-3])):
        for places in NAMED[dataset].values():
            for layer, channel in places:
                name, width = layers[layer]
                assert channel < width and "ToRGB" not in name
    assert set(NAMED) == {"ffhq", "car"}


def _labelled(folder, rows=6):
    codes = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    np.save(folder / "W.npy", codes)
    logits = [[3, -1], [-2, 5], [0, 0], [9, 9], [-7, 1], [1, 1]]
    lines = [f"{row},{a},{b}" for row, (a, b) in enumerate(logits)]
    (folder / "attribute").write_text("\n".join([",bangs,smiling", *lines]) + "\n")
    return codes


def test_examples_of_a_label_are_the_lowest_logits(tmp_path, monkeypatch):
    codes = _labelled(tmp_path)
    assert read_logits(tmp_path / "attribute", "smiling").tolist() == [-1, 5, 0, 9, 1, 1]
    assert read_examples(tmp_path, "bangs").tolist() == codes[[4, 1, 2, 5, 0, 3]].tolist()
    monkeypatch.setattr("textedit_methods.stylespace.released.EXAMPLES", 2)
    assert read_examples(tmp_path, "bangs").tolist() == codes[[4, 1]].tolist()


class Bomb:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (type(self.mark).touch, (self.mark,))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"", "damaged"),
        ({"a": 1}, "expected a list"),
        ([np.zeros((4, 3)), np.zeros((2, 3))], "arrays"),
        ([np.zeros((4, 3)), np.zeros((5, 2))], "arrays"),
        ([np.zeros(4), np.zeros(5)], "arrays"),
        ([np.zeros((4, 1)), np.zeros((5, 1))], "arrays"),
        ([np.zeros((4, 3)), np.full((5, 3), np.nan)], "not finite"),
        ("bomb", "refused"),
    ],
)
def test_spoilt_regions_are_refused_in_one_line(tmp_path, content, said):
    path, mark = tmp_path / "semantic_top_32", tmp_path / "went-off"
    if content is not None:
        whole = Bomb(mark) if content == "bomb" else content
        path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(whole))
    with pytest.raises(UserError, match=said) as refused:
        read_regions(path, [4, 5])
    assert "semantic_top_32" in str(refused.value) and "\n" not in str(refused.value) and not mark.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file"),
        ("", "unknown label"),
        ("a,b\n1,2\n", "unknown label .*smiling.* Valid: a, b"),
        ("a,smiling\n1,2\n3\n", "expected a table"),
        ("a,smiling\n1,x\n", "expected a table"),
        ("smiling\n1\nnan\n", "finite"),
        ("smiling\n1\n", "at least two"),
        (b"smiling\n\xff\xfe\n", "expected a table"),
    ],
)
def test_spoilt_labels_are_refused_in_one_line(tmp_path, text, said):
    path = tmp_path / "attribute"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=said) as refused:
        read_logits(path, "smiling")
    assert "\n" not in str(refused.value) and "attribute" in str(refused.value)


def test_labels_of_other_codes_are_refused(tmp_path):
    _labelled(tmp_path)
    np.save(tmp_path / "W.npy", np.zeros((5, 3), np.float32))
    with pytest.raises(UserError, match="6 rows for 5 codes"):
        read_examples(tmp_path, "bangs")
