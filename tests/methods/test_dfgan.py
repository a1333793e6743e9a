"""DF-GAN as an editor: what it is told, its noise and sizes, its training, and what is refused."""

from __future__ import annotations

import csv
import logging

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from textedit_bench import load_domain
from textedit_bench.assets.manifest import get_asset
from textedit_bench.errors import UserError
from textedit_bench.files import HOME
from textedit_bench.prompt import Prompt
from textedit_bench.testing import write_toy_dataset
from textedit_bench.testing.miniature import write_reader
from textedit_bench.training import RunOptions
from textedit_methods.dfgan.card import RELEASED_FILES
from textedit_methods.dfgan.method import DFGAN, draw_noise
from textedit_methods.dfgan.network import Critic, Generator
from textedit_methods.dfgan.training import DFGANTraining

SMALL = {"channels": 2, "noise_dim": 4, "captions": 3, "batch_size": 4, "steps": 24, "steps_per_validation": 6}
QUIET = {"progress": False, "preview_images": 0, "logger": "csv"}
PALE = Prompt("a toy with pale", "a toy", "pale")


@pytest.fixture(scope="module")
def domain(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME, str(tmp_path_factory.mktemp("home")))
        yield load_domain(str(write_toy_dataset(tmp_path_factory.mktemp("toy"))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def fitted(domain, folder):
    """Trained once; no test changes it."""
    made = DFGAN(domain, **SMALL)
    made.fit(folder=folder, **QUIET)
    return made


def ready(domain, network, **values):
    """An editor of a random network whose condition matters."""
    editor = DFGAN(domain, **values)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for name, value in network.named_parameters():
            if "linear2" in name:
                value.data.normal_(std=0.5)
    editor._network = network.eval().requires_grad_(False)
    return editor


def generator(domain, widths=(8, 8, 4), **options):
    options = {"sentence_dim": domain.clip.embed_dim, **options}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Generator(list(widths), noise_dim=4, **options)


# -- generation ------------------------------------------------------------------------------------------------------
def test_pictures_are_the_networks_of_the_targets_feature(domain):
    editor = ready(domain, generator(domain), truncation=0.0)
    network, side = editor.network, domain.resolution
    assert network.side == side
    found = editor.generate(PALE, 3, seed=5)
    feature = domain.clip.encode_text([PALE.target])
    told = (feature / feature.norm() * feature.shape[1] ** 0.5).expand(3, -1)
    stream = torch.Generator().manual_seed(5)
    noise = torch.stack([torch.randn(4, generator=stream) for _ in range(3)])
    torch.testing.assert_close(found, network(noise, told))
    assert not torch.allclose(found, editor.generate(Prompt("a toy with blue"), 3, seed=5))


def test_the_first_pictures_are_those_of_fewer_and_the_seed_decides(domain):
    editor = ready(domain, generator(domain))
    three, two = editor.generate(PALE, 3, seed=1), editor.generate(PALE, 2, seed=1)
    torch.testing.assert_close(three[:2], two)
    assert torch.equal(three, editor.generate(PALE, 3, seed=1)) and not three.requires_grad
    assert not torch.allclose(two, editor.generate(PALE, 2, seed=2)) and not torch.allclose(two[0], two[1])


def test_smaller_pictures_are_enlarged(domain):
    editor = ready(domain, generator(domain, widths=(8, 4)), truncation=0.0)
    small = editor.network.side
    found = editor.generate(PALE, 2)
    assert small < domain.resolution and found.shape == (2, 3, *[domain.resolution] * 2) and found.abs().max() <= 1
    stream = torch.Generator().manual_seed(0)
    noise = torch.stack([torch.randn(4, generator=stream) for _ in range(2)])
    told = F.normalize(editor.embed_text(PALE.target), dim=0) * domain.clip.embed_dim**0.5
    own = editor.network(noise, told.expand(2, -1))
    averaged = F.avg_pool2d(found, domain.resolution // small)
    assert F.cosine_similarity(averaged.flatten(1), own.flatten(1)).min() > 0.98


@pytest.mark.parametrize(("n", "seed", "said"), [(0, 0, "n"), (1, -1, "seed")])
def test_numbers_out_of_range_are_refused(domain, n, seed, said):
    with pytest.raises(UserError, match=rf"^{said}"):
        ready(domain, generator(domain)).generate(PALE, n, seed)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), truncation=st.floats(0.1, 2))
def test_truncated_noise_stays_within_its_bounds(seed, truncation):
    noise = draw_noise(3, 50, seed, truncation)
    assert noise.shape == (3, 50) and noise.abs().max() <= 2 * truncation + 1e-6
    assert torch.equal(noise[:2], draw_noise(2, 50, seed, truncation))


def test_truncated_noise_is_distributed_like_scipys():
    from scipy.stats import kstest, truncnorm

    noise = draw_noise(40, 100, 3, 0.88).flatten().numpy()
    assert kstest(noise, truncnorm(-2, 2, scale=0.88).cdf).pvalue > 0.01
    assert kstest(draw_noise(40, 100, 3, 0.0).flatten().numpy(), "norm").pvalue > 0.01


# -- the authors' weights --------------------------------------------------------------------------------------------
@pytest.fixture
def authors(domain, tmp_path):
    """An editor of the authors' kind of weights, with a text encoder and a vocabulary of the toy's prompts."""

    def make(layout="v2", **values):
        hidden = 6 if layout == "v1" else 0
        network = generator(domain, (8, 8, 8, 4) if layout == "v1" else (8, 8, 4), sentence_dim=10, layout=layout,
                            hidden=hidden, reads="damsm")  # fmt: skip
        return ready(domain, network, **{**write_reader(tmp_path, domain, 10), **values})

    return make


@pytest.mark.parametrize("layout", ["v1", "v2"])
def test_the_authors_weights_read_the_words_by_their_text_encoder(authors, layout):
    editor = authors(layout)
    if layout == "v1":
        for block in editor.network.GBlocks:
            block.gamma.data.fill_(0.5)
    found = editor.generate(PALE, 2, seed=3)
    sentence = editor.reader.encode("the person has pale").sentence
    noise = draw_noise(2, 4, 3, 0.0 if layout == "v1" else 0.88)
    torch.testing.assert_close(found, editor.network(noise, sentence.expand(2, -1)))
    assert not torch.allclose(found, editor.generate(Prompt("a", phrase="blue"), 2, seed=3))


def test_words_that_are_not_known_are_reported_or_refused(authors, caplog):
    editor = authors()
    with caplog.at_level(logging.WARNING):
        editor.generate(Prompt("a", phrase="pale purple"), 1)
    assert "purple" in caplog.text
    assert editor.refusal(PALE) is None
    assert "purple" in editor.refusal(Prompt("a", phrase="purple"))
    with pytest.raises(UserError, match="purple"):
        editor.generate(Prompt("a", phrase="purple"), 1)


def test_the_authors_weights_need_their_text_encoder(authors, domain, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path / "none"))
    editor = authors(text_encoder="", vocabulary="")
    assert "text_encoder=FILE" in editor.refusal(PALE) and "vocabulary=FILE" in editor.lacks()
    assert DFGAN(domain).lacks() is None and DFGAN(domain).refusal(PALE) is None
    with pytest.raises(UserError, match="no such file"):
        authors(vocabulary=str(tmp_path / "nowhere.pickle")).refusal(PALE)


def test_a_text_encoder_of_another_width_is_refused(authors, domain, tmp_path):
    (tmp_path / "wide").mkdir()
    with pytest.raises(UserError, match=r"the generator of dfgan is told sentences of width 10; .* gives 12"):
        authors(**write_reader(tmp_path / "wide", domain, 12)).generate(PALE, 1)


def test_the_authors_generator_alone_says_which_files_it_lacks(domain, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path))
    editor = DFGAN(domain)
    monkeypatch.setattr(DFGAN, "_authors", lambda _: (tmp_path / "netG.pth",))
    assert "vocabulary=FILE" in editor.lacks() and "vocabulary=FILE" in editor.refusal(PALE)
    editor._network = generator(domain)  # trained here: told by the guiding CLIP
    assert editor.lacks() is None and editor.refusal(PALE) is None


def test_released_files_are_all_three_or_none(domain, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path))
    card = domain.card.model_copy(update={"name": "ffhq"})
    editor = DFGAN(type(domain)(card, "mini"))
    editor.info = editor.info.__class__(
        **{**vars(editor.info), "released": {"mini": {"ffhq": RELEASED_FILES}}},
    )  # fmt: skip
    for number, name in enumerate(RELEASED_FILES):
        assert editor.released_files() == () and editor.released_weights() is None
        path = get_asset(name).path
        path.parent.mkdir(parents=True)
        path.write_bytes(bytes(number + 1))
    assert editor.released_files() == tuple(get_asset(name).path for name in RELEASED_FILES)
    assert editor.released_weights() == get_asset(RELEASED_FILES[0]).path


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (lambda domain: Critic([4, 8], domain.clip.embed_dim), "a Critic, not DF-GAN's generator"),
        (lambda domain: generator(domain, [8] * 6), "pictures of 128 pixels"),
        (lambda domain: generator(domain, sentence_dim=7), "sentences of width 7"),
    ],
)
def test_networks_that_do_not_fit_are_refused(domain, network, said):
    with pytest.raises(UserError, match=said):
        DFGAN(domain).check_fits(network(domain), "x.pth")


# -- training --------------------------------------------------------------------------------------------------------
def test_training_ends_with_finite_terms_and_a_network_that_is_saved(fitted, domain, folder, tmp_path):
    with next(folder.rglob("metrics.csv")).open() as file:
        rows = list(csv.DictReader(file))
    assert sum(bool(row["validation/own_caption"]) for row in rows) == 4
    fitted.save(tmp_path / "a.safetensors")
    other = DFGAN(domain)
    other.load(tmp_path / "a.safetensors")
    assert other.network.reads == "clip" and torch.equal(other.generate(PALE, 2), fitted.generate(PALE, 2))
    fresh = DFGAN(domain, **SMALL).seeded_network(0)
    assert not torch.equal(fresh.fc.weight, fitted.network.fc.weight)


def test_a_class_of_another_package_trains_as_the_one_that_it_extends(domain, tmp_path):
    class Extended(DFGAN):
        """Its module has none called ``training`` beside it."""

    plan = Extended(domain, **SMALL).plan_training(RunOptions(folder=tmp_path, **QUIET), None)
    assert isinstance(plan.module, DFGANTraining)


def test_a_step_of_one_player_leaves_the_other_as_it_is(domain, tmp_path):
    """The critic is trained by its own loss alone; the generator's gradients reach the generator alone."""
    editor = DFGAN(domain, **SMALL)
    plan = editor.plan_training(RunOptions(folder=tmp_path, **QUIET), None)
    module = plan.module
    assert isinstance(module, DFGANTraining) and plan.keep == "last"
    batch = next(iter(plan.data.train_dataloader()))
    sentences = module._sentences(batch)
    torch.testing.assert_close(sentences.square().mean(1), torch.ones(4))
    module.critic.requires_grad_(False)
    (-module.critic(module.network(torch.randn(4, 4), sentences), sentences).mean()).backward()
    assert all(parameter.grad is None for parameter in module.critic.parameters())
    assert any(parameter.grad is not None for parameter in module.network.parameters())


@pytest.mark.parametrize(("given", "said"), [({"side": 12}, "side: 12"), ({"precision": "16-mixed"}, "precision")])
def test_settings_that_cannot_be_are_refused(domain, tmp_path, given, said):
    with pytest.raises(UserError, match=said):
        DFGAN(domain, **SMALL).fit(folder=tmp_path, **QUIET, **given)


def test_photos_without_captions_cannot_be_learnt_from(domain, tmp_path):
    tier = domain.card.tier("mini")
    bare = tier.source.model_copy(update={"captions": None})
    card = domain.card.model_copy(update={"tiers": {"mini": tier.model_copy(update={"source": bare})}})
    with pytest.raises(UserError, match="captions"):
        DFGAN(type(domain)(card, "mini"), **SMALL).fit(folder=tmp_path, **QUIET)
