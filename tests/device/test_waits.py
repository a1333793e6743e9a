"""Nothing waits for the device where it happens often: at a generator pass, an edit, a step of an optimisation."""

from __future__ import annotations

from collections import Counter

import open_clip
import pytest
import torch
from packaging.version import Version

from textedit_bench.domain import load_domain
from textedit_bench.files import HOME
from textedit_bench.models.projection import ProjectionSettings, project
from textedit_bench.registry import list_methods, load_method
from textedit_bench.stylespace.statistics import Sampling, editable, measure, sample_styles
from textedit_bench.stylespace.sweep import sweep
from textedit_bench.testing.miniature import miniature_settings
from textedit_bench.training.samples import draw
from textedit_methods.styleclip_global.relevance import products

EDITORS = [card.name for card in list_methods() if "edit" in card.tasks and not card.control] + ["random-direction"]
STEPS = {
    "styleclip-optimization": "steps",
    "tedigan": "steps",
    "interfacegan": "samples",
    "stylespace": "samples",
    "ganspace": "samples",
}
FEWER = {"ganspace": {"components": 2, "images": 2}}
"""What is not a step and takes long."""


@pytest.fixture(scope="module")
def domain(cuda, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME, str(tmp_path_factory.mktemp("home")))  # what editors prepare is made here, and waits
        yield load_domain("ffhq", "mini", "cuda")


@pytest.fixture(scope="module")
def editor(domain, tmp_path_factory):
    """Makes an editor with its shipped weights, or with small ones where it runs released networks alone."""

    def make(name, **settings):
        kind = load_method(name)
        small = miniature_settings(kind.info, domain, tmp_path_factory.mktemp(name))
        made = kind(domain, **small, **FEWER.get(name, {}), **settings)
        weights = made.weights_path()
        if weights is not None and weights.is_file():
            made.load(weights)
        return made

    return make


@pytest.fixture(scope="module")
def latents(domain):
    return domain.invert(domain.photos("evaluation", 2))


def waits(cuda, act) -> Counter:
    """The waits of one call, but that of a text before open_clip 3.1, which finds its end by an index of the host."""
    cuda.clear()
    act()
    known = Version(open_clip.__version__) < Version("3.1")
    return Counter(
        {
            (what, where): count
            for (what, where), count in cuda.syncs.items()
            if not (known and what == "index on the host" and where.startswith("textedit_bench/models/clip.py:"))
        }
    )


def prompt(domain):
    return next(iter(domain.prompts("evaluation").values()))


@pytest.mark.parametrize("noise", ["const", "random", "none"])
def test_a_generator_pass_does_not_wait(cuda, domain, latents, noise):
    with torch.no_grad():
        domain.generator.synthesize(latents)
        assert not waits(cuda, lambda: domain.generator.synthesize(latents, noise=noise))
        assert not waits(cuda, lambda: domain.generator.truncate(domain.generator.map(latents.codes[:, 0]), 0.5))


@pytest.mark.parametrize("preprocessing", ["correct", "published"])
@pytest.mark.parametrize("role", ["clip", "judge_clip"])
def test_a_look_of_clip_does_not_wait(cuda, domain, latents, role, preprocessing):
    clip = domain.network(role)
    for side in (64, 96, 1024):
        images = torch.zeros(1, 3, side, side, device="cuda")
        with torch.no_grad():
            clip.encode_image(images, preprocessing=preprocessing)
            assert not waits(cuda, lambda images=images: clip.encode_image(images, preprocessing=preprocessing))


def test_text_is_sent_ahead(cuda, domain):
    with torch.no_grad():
        assert not waits(cuda, lambda: domain.clip.encode_text(["blond hair"]))


@pytest.mark.parametrize("role", ["encoder", "identity", "discriminator"])
def test_a_pass_of_a_guide_does_not_wait(cuda, domain, latents, role):
    network = domain.network(role)
    act = network if role == "discriminator" else network.encode if role == "encoder" else network.embed
    with torch.no_grad():
        act(latents.images)
        assert not waits(cuda, lambda: act(latents.images))


@pytest.mark.parametrize("name", EDITORS)
def test_an_edit_of_a_prepared_prompt_does_not_wait(cuda, domain, editor, latents, name):
    quick = {STEPS[name]: {"steps": 2, "samples": 16}[STEPS[name]]} if name in STEPS else {}
    made, asked = editor(name, **quick), prompt(domain)
    with torch.no_grad():
        made.edit_sweep(latents, asked, [0.0, 1.0])
        found = waits(cuda, lambda: made.edit_sweep(latents, asked, [0.0, 1.0]))
    # An optimisation asks once, at its end, whether all of its losses were finite.
    assert sum(found.values()) <= (STEPS.get(name) == "steps"), found


@pytest.mark.parametrize("name", STEPS)
def test_no_wait_comes_with_another_step(cuda, domain, editor, latents, name):
    found = []
    for steps in (32, 96) if STEPS[name] == "samples" else (1, 4):
        made = editor(name, **{STEPS[name]: steps})
        found.append(waits(cuda, lambda made=made: made.edit(latents, prompt(domain), 1.0)))
    assert found[0] == found[1]


def test_generation_does_not_wait_per_picture(cuda, domain, editor):
    for name in [card.name for card in list_methods() if "generate" in card.tasks]:
        made = editor(name, **({"steps": 1} if name in STEPS else {}))
        made.generate(prompt(domain), 1)
        found = [waits(cuda, lambda made=made, n=n: made.generate(prompt(domain), n)) for n in (1, 3)]
        assert found[0] == found[1], name


def test_a_step_of_the_projection_does_not_wait(cuda, domain, latents):
    def act(steps):
        return lambda: project(domain.generator, latents.images[:1], ProjectionSettings(steps=steps))

    assert waits(cuda, act(1)) == waits(cuda, act(4))


def test_a_channel_of_the_sweep_does_not_wait(cuda, domain):
    sampling = Sampling(samples=16, truncation=0.7)
    statistics = measure(domain.generator, editable(domain.generator), sampling)
    base = sample_styles(domain.generator, sampling, 0, 1)
    cuda.clear()
    with pytest.raises(StopIteration):
        sweep(domain.generator, domain.clip, base, statistics, checkpoint=_stop_after(6))
    assert sum(cuda.syncs.values()) <= 2, cuda.syncs


def _stop_after(count):
    left = iter(range(count - 1))
    return lambda _: next(left)


def test_a_probe_of_the_gradients_does_not_wait(cuda, domain):
    styles = sample_styles(domain.generator, Sampling(samples=4, truncation=0.7), 0, 2)
    vectors = torch.eye(domain.clip.embed_dim, device="cuda")
    found = [waits(cuda, lambda n=n: products(domain.generator, domain.clip, styles, vectors[:n])) for n in (1, 3)]
    assert found[0] == found[1] == Counter()


def test_more_samples_do_not_mean_more_waits(cuda, domain):
    assert waits(cuda, lambda: draw(domain, 32, 0)) == waits(cuda, lambda: draw(domain, 96, 0))
