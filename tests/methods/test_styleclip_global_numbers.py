"""The published arithmetic: relevance, threshold, step, statistics; the released files; the bank of templates."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from textedit_bench.errors import UserError
from textedit_bench.models.clip import sentences, templates
from textedit_bench.models.stylegan2 import Generator
from textedit_bench.stylespace.statistics import Sampling, Statistics, editable, measure, sample_styles
from textedit_bench.stylespace.sweep import rows_of, unit_differences
from textedit_methods.styleclip_global.method import automatic_beta, step, text_direction
from textedit_methods.styleclip_global.relevance import Relevance, load_relevance, save_relevance
from textedit_workshop.pages.gradient_relevance import agreement

WIDTHS = [(5, False), (5, True), (4, False), (3, False), (3, True)]


def test_steps_and_codes_equal_the_released_ones(parity):
    published = parity("styleclip_global_1024")
    config = published.manifest["config"]
    rgb = torch.cat([torch.full((width,), "toRGB" in name) for name, width in config["s_layout"]])
    rows, direction, codes = (published.input(name) for name in ("fs3", "delta_t", "s"))
    std = published.input("code_std_raw").abs()
    projection = rows @ direction
    published.check("projection", projection)
    for number, case in enumerate(config["cases"]):
        change, count = step(projection, std[~rgb], case["beta"])
        whole = torch.zeros(len(rgb))
        whole[~rgb] = change
        published.check(f"step_{number}", whole)
        note = published.manifest["outputs"][f"step_{number}"]["note"]
        assert f"kept {count} channels" in note
        edited = torch.stack([codes + alpha * whole for alpha in case["alpha"]], dim=1)
        published.check(f"codes_{number}", edited)


def test_editable_channels_are_those_of_the_released_layout(parity):
    config = parity("styleclip_global_1024").manifest["config"]
    with torch.device("meta"):
        generator = Generator(1024)
    assert [layer.channels for layer in generator.style_layout] == [width for _, width in config["s_layout"]]
    with torch.device("cpu"):
        assert len(editable(generator)) == config["channels_without_rgb"] == 6048


def test_rows_equal_the_released_ones(parity):
    published = parity("styleclip_global_1024")
    features = published.input("features")  # [channel, image, minus and plus, d]
    differences = unit_differences(features[:, :, 0], features[:, :, 1])
    published.check("fs3_from_features", rows_of(differences.double().sum(1)))


def test_a_channel_without_effect_has_a_row_of_zeros():
    same = torch.randn(2, 3, 8)
    assert not unit_differences(same, same).any()
    assert not rows_of(torch.zeros(2, 8)).any()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40), st.floats(0, 1, width=32))
def test_step_properties(values, beta):
    projection = torch.tensor(values)
    std = torch.linspace(0.5, 2, len(values))
    reached = [abs(v) >= beta for v in projection.tolist()]
    if not any(reached) or not projection.any():
        with pytest.raises(UserError, match="no channel reaches"):
            step(projection, std, beta)
        return
    change, count = step(projection, std, beta)
    assert count == sum(reached)
    assert not change[~torch.tensor(reached)].any()
    assert float((change / std).abs().max()) == pytest.approx(1)
    assert (torch.sign(change) == torch.sign(projection))[torch.tensor(reached)].all()


def test_a_channel_exactly_at_the_threshold_is_kept():
    _, count = step(torch.tensor([0.5, 0.25, -0.25, 0.2]), torch.ones(4), 0.25)
    assert count == 3


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-0.5, 0.5, width=32), min_size=1, max_size=60), st.integers(0, 30))
def test_automatic_beta_is_the_largest_candidate_with_more_channels(values, wanted):
    projection = torch.tensor(values)

    def kept(beta):
        return int((projection.abs() >= beta).sum())

    beta = automatic_beta(projection, wanted)
    assert 0.10 <= beta <= 0.29
    if kept(0.10) <= wanted:
        assert beta == 0.10
    else:
        assert kept(beta) > wanted
        assert beta == 0.29 or kept(round(beta + 0.01, 2)) <= wanted


def test_the_bank_is_open_clips_without_the_one_left_out():
    from open_clip import OPENAI_IMAGENET_TEMPLATES

    everything = [make("{}") for make in OPENAI_IMAGENET_TEMPLATES]
    assert len(everything) == 80 and len(templates()) == 79
    assert [text for text in everything if text not in templates()] == ["a photo of many {}."]
    assert list(templates()) == [text for text in everything if text in templates()]
    assert all(text.count("{}") == 1 for text in templates())


@pytest.mark.parametrize(
    ("text", "bare"),
    [("a face", "face"), ("An old face", "old face"), ("the face", "face"), ("face", "face"), ("anger", "anger")],
)
def test_a_leading_article_is_dropped(text, bare):
    assert sentences(text)[0] == f"a bad photo of a {bare}."


class _Texts:
    """Embeddings that only a right average can reproduce."""

    def encode_text(self, texts):
        rows = [torch.randn(6, generator=torch.Generator().manual_seed(len(t) * 31 + ord(t[2]))) for t in texts]
        return 5 * torch.stack(rows)


def test_text_direction_is_normalised_before_and_after_averaging_and_points_to_the_target():
    def embed(text):
        unit = F.normalize(_Texts().encode_text(sentences(text)), dim=1)
        assert len(unit) == 79
        mean = unit.mean(0)
        return mean / mean.norm()

    wanted = embed("a face with a hat") - embed("a face")
    found = text_direction(_Texts(), "a face with a hat", "a face")
    assert torch.allclose(found, wanted / wanted.norm(), atol=1e-6)


def test_equal_texts_are_refused():
    with pytest.raises(UserError, match="must differ"):
        text_direction(_Texts(), "a face", "face")


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(2)
    made = Generator(8, 16, 16, n_mlp=2, channels={4: 6, 8: 5}).eval().requires_grad_(False)
    made.estimate_w_mean(200)
    return made


def test_statistics_equal_numpys(generator):
    sampling = Sampling(samples=4500, truncation=0.7)
    styles = sample_styles(generator, sampling, 0, 4500)[:, editable(generator)].numpy().astype(np.float64)
    found = measure(generator, editable(generator), sampling)
    assert np.allclose(found.mean, styles.mean(0), atol=1e-6) and np.allclose(found.std, styles.std(0), rtol=1e-5)


def test_samples_do_not_depend_on_how_many_are_drawn(generator):
    sampling = Sampling(samples=10, truncation=0.7)
    whole = sample_styles(generator, sampling, 0, 4500)
    assert torch.allclose(sample_styles(generator, sampling, 1990, 30), whole[1990:2020], atol=1e-5)
    assert torch.pdist(whole[[0, 1, 2000, 4000]]).min() > 0.01


def test_truncation_of_the_first_rows_narrows_the_first_layers_only(generator):
    positions = editable(generator)
    free, some, every = (
        measure(generator, positions, Sampling(samples=2000, truncation=psi, truncated_rows=rows)).std
        for psi, rows in ((1.0, 0), (0.5, 1), (0.5, 0))
    )
    first = generator.style_layout[0].channels
    assert torch.allclose(some[:first], 0.5 * free[:first], rtol=1e-4)
    assert torch.allclose(some[first:], free[first:], rtol=1e-4)
    assert torch.allclose(every, 0.5 * free, rtol=1e-4)


def _released(folder, rows=12, dim=7, protocol=2, layers=WIDTHS):
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((rows, dim)).astype(np.float16)
    np.save(folder / "fs3.npy", matrix)
    statistics = [[rng.random(width).astype(np.float32) for width, _ in layers] for _ in range(2)]
    (folder / "S_mean_std").write_bytes(pickle.dumps(statistics, protocol=protocol))
    return matrix, statistics


@pytest.mark.parametrize("rows", [5, 9, 12])
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_released_files_load_and_missing_rows_are_zeros(tmp_path, rows, protocol):
    matrix, statistics = _released(tmp_path, rows, protocol=protocol)
    for path in (tmp_path, tmp_path / "fs3.npy"):
        found = load_relevance(path, WIDTHS)
        assert found.rows.shape == (12, 7)
        assert np.array_equal(found.rows[:rows].numpy(), matrix.astype(np.float32)) and not found.rows[rows:].any()
        for part, wanted in zip((found.statistics.mean, found.statistics.std), statistics, strict=True):
            kept = [values for values, (_, is_rgb) in zip(wanted, WIDTHS, strict=True) if not is_rgb]
            assert np.array_equal(part.numpy(), np.concatenate(kept))


def test_a_released_matrix_without_statistics_takes_measured_ones(tmp_path):
    _, statistics = _released(tmp_path)
    measured = Statistics(torch.zeros(12), torch.ones(12))
    assert load_relevance(tmp_path, WIDTHS, lambda: measured).statistics.std[0] == statistics[1][0][0]
    (tmp_path / "S_mean_std").unlink()
    assert load_relevance(tmp_path, WIDTHS, lambda: measured).statistics is measured


def test_the_published_row_counts_fit_the_published_generator():
    with torch.device("meta"):
        layout = Generator(1024).style_layout
    ends = np.cumsum([layer.channels for layer in layout if not layer.is_rgb])
    assert {5376, 6048} <= set(ends)


class _Bomb:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (type(self.mark).touch, (self.mark,))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("rows", "7 rows; .*5, 9, 12"),
        ("flat", "expected a matrix"),
        ("nan", "finite"),
        ("objects", "not an array of numbers"),
        ("text", "not an array of numbers"),
        ("no statistics", "S_mean_std"),
        ("layers", "4 layers; .*5 style layers"),
        ("width", "style layer 2 needs 4"),
        ("bomb", "refused"),
        ("one list", "two lists"),
    ],
)
def test_spoilt_released_files_are_refused_in_one_line(tmp_path, spoil, message):
    _released(tmp_path)
    fs3, statistics = tmp_path / "fs3.npy", tmp_path / "S_mean_std"
    match spoil:
        case "rows":
            np.save(fs3, np.zeros((7, 7), np.float32))
        case "flat":
            np.save(fs3, np.zeros(12, np.float32))
        case "nan":
            np.save(fs3, np.full((12, 7), np.nan, np.float32))
        case "objects":
            np.save(fs3, np.array([{"a": 1}]), allow_pickle=True)
        case "text":
            fs3.write_text("hello")
        case "no statistics":
            statistics.unlink()
        case "layers":
            _released(tmp_path, layers=WIDTHS[:4])
        case "width":
            _released(tmp_path, layers=[*WIDTHS[:2], (9, False), *WIDTHS[3:]])
        case "bomb":
            statistics.write_bytes(pickle.dumps([_Bomb(tmp_path / "ran"), []]))
        case "one list":
            statistics.write_bytes(pickle.dumps([[np.zeros(3, np.float32)]]))
    with pytest.raises(UserError, match=message) as caught:
        load_relevance(tmp_path, WIDTHS)
    assert "\n" not in str(caught.value) and not (tmp_path / "ran").exists()


def test_saved_rows_come_back_close_enough_and_small(tmp_path):
    torch.manual_seed(0)
    channels, dim = 864, 128
    rows = F.normalize(torch.randn(channels, dim), dim=1)
    rows[3] = 0
    kept = Relevance(rows, Statistics(torch.randn(channels), torch.rand(channels) + 0.1), {"made": "here"})
    path = tmp_path / "a.safetensors"
    save_relevance(kept, path)
    assert path.stat().st_size <= 120_000
    found = load_relevance(path, [(channels, False)])
    direction = F.normalize(torch.randn(dim, 16), dim=0)
    assert float((found.rows @ direction - rows @ direction).abs().max()) < 5e-3
    assert not found.rows[3].any()
    assert torch.allclose(found.statistics.std, kept.statistics.std, rtol=1e-3)
    assert found.facts == {"made": "here"}
    with pytest.raises(UserError, match="864 channels; this generator has 800"):
        load_relevance(path, [(800, False)])


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.bin"):
        load_relevance(tmp_path / "a.bin", WIDTHS)
    with pytest.raises(UserError, match="no such file"):
        load_relevance(tmp_path / "b.bin", WIDTHS)


def test_agreement_of_two_projections_by_hand():
    first = torch.arange(40.0)
    swapped = first.clone()
    swapped[[0, 39]] = swapped[[39, 0]]  # rank differences of 39, twice: 1 - 6 * 2 * 39^2 / (40 * (40^2 - 1))
    found = agreement(first, swapped)
    assert found.spearman == pytest.approx(1 - 6 * 2 * 39**2 / (40 * 1599))
    assert found.overlap == 19 / 20
    assert agreement(first, -first).spearman == pytest.approx(-1) and agreement(first, -first).overlap == 1
