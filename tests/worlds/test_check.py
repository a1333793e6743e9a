"""The quality bars pass what is good, fail what is not, and say what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.models.storage import write_tensors
from textedit_bench.worlds.faces import FaceWorld
from textedit_workshop.worlds import check
from textedit_workshop.worlds.check import Figure, Sizes, check_world, table, write_readme
from textedit_workshop.worlds.check_generator import correlation, readings, total_variation
from textedit_workshop.worlds.records import training_table

WORLD = FaceWorld()


class Truthful:
    """An oracle that is told the truth instead of looking."""

    attributes = tuple(a.name for a in WORLD.attributes)

    def __init__(self) -> None:
        self.answers: dict[bytes, torch.Tensor] = {}

    def learn(self, images: torch.Tensor, values: torch.Tensor) -> None:
        for image, value in zip(images, values, strict=True):
            self.answers[image.numpy().tobytes()] = value

    def predict(self, images: torch.Tensor) -> torch.Tensor:
        return torch.stack([self.answers[i.numpy().tobytes()] for i in images])


class Stub:
    """A domain whose networks are given."""

    name, tier = "stub", "mini"
    device = torch.device("cpu")

    def __init__(self, networks: dict[str, Any], tmp_path: Path, world: Any = WORLD) -> None:
        self.networks, self.folder, self.world = networks, tmp_path, world
        self.tier_card = SimpleNamespace(networks={role: f"{role}.safetensors" for role in networks})
        for role in networks:
            record = {"stages": [{"command": f"make {role}", "seed": 3, "steps": 7, "wall_time_s": 90}]}
            write_tensors({"x": torch.zeros(4)}, tmp_path / f"{role}.safetensors", {"record": json.dumps(record)})

    def path(self, role: str) -> Path:
        if role not in self.networks:
            raise UserError(f"no {role}")
        return self.folder / f"{role}.safetensors"

    def network(self, role: str) -> Any:
        return self.networks[role]

    @property
    def generator(self) -> Any:
        return self.networks["generator"]

    @property
    def inverter(self) -> Any:
        return self.networks["encoder"]

    def photos(self, split: str, n: int) -> Any:
        factors = WORLD.split_factors(split, range(n))
        return SimpleNamespace(images=WORLD.render(factors).images, factors=factors)


def test_missing_weights_are_named_and_fail(tmp_path: Path) -> None:
    figures = check_world(Stub({}, tmp_path), sizes=Sizes(4, 2, 4, 4))  # type: ignore[arg-type]
    assert len(figures) == len(check.PARTS)
    assert not any(f.passed for f in figures)
    assert any("weights missing: generator, encoder" in f.name for f in figures)
    assert {row[-1] for row in table(figures)} == {"FAIL"}


def test_a_domain_without_a_world_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no procedural world"):
        check_world(Stub({}, tmp_path, world=None))  # type: ignore[arg-type]


def test_a_generator_that_renders_the_world_passes_and_a_collapsed_one_fails(tmp_path: Path) -> None:
    oracle = Truthful()

    class Perfect:
        z_dim, num_rows, collapsed = WORLD.space.count, 1, False

        def map(self, z: torch.Tensor) -> torch.Tensor:
            return z

        def broadcast(self, w: torch.Tensor) -> torch.Tensor:
            return w[:, None]

        def synthesize(self, w_plus: torch.Tensor) -> torch.Tensor:
            factors = WORLD.space.from_normal(w_plus[:, 0])
            values = torch.zeros_like(factors.attributes) if self.collapsed else factors.attributes
            images = w_plus[:, 0].clone()  # any picture the oracle can tell from another
            oracle.learn(images, values)
            return images

    class Faked(FaceWorld):
        def render(self, factors: Any) -> Any:
            images = torch.cat([factors.identity, factors.nuisance], 1)
            oracle.learn(images, factors.attributes)
            return SimpleNamespace(images=images)

    generator = Perfect()
    stub = Stub({"oracle": oracle, "generator": generator}, tmp_path, world=Faked())
    sizes = Sizes(samples=3000)
    good = check._generator(stub, sizes)  # type: ignore[arg-type]
    assert all(f.passed for f in good), [f for f in good if not f.passed]
    assert sum("correlation" in f.name for f in good) == 2
    generator.collapsed = True
    bad = check._generator(stub, sizes)  # type: ignore[arg-type]
    assert not any(f.passed for f in bad if "total variation" in f.name or "correlation" in f.name)


def test_a_perfect_inversion_passes_and_a_wrong_one_fails(tmp_path: Path) -> None:
    oracle = Truthful()

    class Echo:
        offset = 0.0

        def encode(self, images: torch.Tensor) -> torch.Tensor:
            return images

        def synthesize(self, codes: torch.Tensor) -> torch.Tensor:
            out = codes + self.offset
            if self.offset:
                oracle.learn(out, torch.full((len(out), len(WORLD.attributes)), -1))
            return out

    class Judge:
        threshold = 0.5

        def embed(self, images: torch.Tensor) -> torch.Tensor:
            sign = torch.where(images.mean((1, 2, 3)) > 5, -1.0, 1.0)
            return torch.stack([sign, torch.zeros_like(sign)], 1)

    echo = Echo()
    stub = Stub({"oracle": oracle, "generator": echo, "encoder": echo, "judge_identity": Judge()}, tmp_path)
    photos = stub.photos("evaluation", 6)
    oracle.learn(photos.images, photos.factors.attributes)
    good = check._inversion(stub, Sizes(inversions=6))  # type: ignore[arg-type]
    *kept, second = good
    assert [f.value for f in kept] == pytest.approx([1.0] * len(kept))
    assert second.value == pytest.approx(1.0) and second.bar is None  # this judge tells no subjects apart
    echo.offset = 10.0
    bad = check._inversion(stub, Sizes(inversions=6))  # type: ignore[arg-type]
    by_name = {f.name: f for f in bad}
    accepted = by_name["identity above the 1 % false-accept threshold"]
    cosine = by_name["identity, mean cosine with the photo"]
    assert {f.value for f in bad if "agreement" in f.name} == {0.0}
    assert accepted.value == 0.0 and cosine.value == pytest.approx(-1.0)
    assert not bad[0].passed and not accepted.passed and not cosine.passed


def test_total_variation_by_hand() -> None:
    first, second = torch.tensor([0, 0, 1, -1]), torch.tensor([0, 1, 1, 1])
    assert total_variation(first, second, 2) == pytest.approx(0.5)
    assert total_variation(first, first, 2) == 0.0


def test_correlation_agrees_with_the_closed_form() -> None:
    attribute = WORLD.attributes[WORLD.index("earrings")]
    read = WORLD.sample(4000, torch.Generator().manual_seed(0)).attributes
    x = (read[:, WORLD.index("earrings")] == 1).double()
    y = (read[:, WORLD.index("makeup")] == 1).double()
    expected = torch.corrcoef(torch.stack([x, y]))[0, 1]
    assert correlation(WORLD, attribute, read) == pytest.approx(float(expected), abs=1e-9)


def test_readings_ask_for_exactly_the_wanted_number() -> None:
    asked: list[int] = []

    def pictures(count: int) -> torch.Tensor:
        asked.append(count)
        return torch.zeros(count, 1)

    oracle = SimpleNamespace(predict=lambda x: torch.zeros(len(x), 2, dtype=torch.int64))
    assert readings(oracle, pictures, 25, batch_size=10).shape == (25, 2)
    assert asked == [10, 10, 5]


def test_bars_hold_at_equality_and_not_for_nan() -> None:
    assert Figure("p", "n", 0.95, 0.95).passed
    assert Figure("p", "n", 0.10, 0.10, at_most=True).passed
    assert not Figure("p", "n", float("nan"), 0.0).passed
    assert not Figure("p", "n", None, None).passed
    shown = [Figure("p", "n", 0.3, None), Figure("p", "n", None, None)]
    assert [(row[2], row[3], row[5]) for row in table(shown)] == [("0.3000", "-", "-"), ("-", "-", "FAIL")]


def test_a_bar_with_two_ends_fails_beyond_either():
    assert [Figure("p", "n", v, 0.3, up_to=0.8).passed for v in (0.29, 0.3, 0.8, 0.81)] == [False, True, True, False]


def test_an_aim_says_that_it_is_missed_and_fails_no_check_unless_the_number_is_missing():
    missed, missing = Figure("p", "n", 0.1, 0.3, up_to=0.8, aim=True), Figure("p", "n", None, 0.3, aim=True)
    assert table([missed]) == [("p", "n", "0.1000", "0.30 to 0.80", "0", "missed aim")]
    assert [f.passed for f in (missed, missing)] == [False, False]
    assert [f.fails for f in (missed, missing)] == [False, True]
    assert Figure("p", "n", 0.1, 0.3).fails


def test_the_page_shows_every_figure_and_every_training_stage(tmp_path: Path) -> None:
    stub: Any = Stub({"oracle": None, "clip": None}, tmp_path)
    figures = [
        Figure("oracle", "accuracy, mean", 0.9987, 0.98, n=10),
        Figure("clip", "zero-shot, hat", 0.5, 0.85, n=10),
    ]
    text = write_readme(stub, figures, tmp_path / "README.md").read_text()
    assert "| oracle | accuracy, mean | 0.9987 | >= 0.98 | 10 | pass |" in text
    assert "| clip | zero-shot, hat | 0.5000 | >= 0.85 | 10 | FAIL |" in text
    assert "`make oracle` | 3 | 7 | 1.5 min |" in text
    assert len(training_table(stub)[1]) == 2
