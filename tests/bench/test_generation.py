"""Generation as a task: cells of their own, judged without a source, in a table of their own."""

from __future__ import annotations

import errno
import json
import sys
from importlib.metadata import EntryPoint

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from textedit_bench.bench import shards
from textedit_bench.bench.generation.judges import pair_distances, taken_for_another
from textedit_bench.bench.progress import State
from textedit_bench.editor import Editor, Latents
from textedit_bench.errors import UserError
from textedit_bench.info import MethodInfo


class Draw(Editor):
    """Codes drawn from the seed, around one point per prompt."""

    info = MethodInfo(
        "draw", "Draw", "", "", "bench_tiny:Draw", "w+", "none", tasks=("generate",), settings={"size": 1.0}
    )

    def edit(self, latents, prompt, strength=1.0):
        raise AssertionError("this method only generates")

    def generate(self, prompt, n, seed=0):
        assert prompt.attribute is None  # methods never see the truth
        rows = self.domain.generator.num_rows
        noise = torch.randn(n, rows, 4, generator=torch.Generator().manual_seed(seed))
        return Latents(self.settings["size"] * noise + len(prompt.words) / 10, "w+")


@pytest.fixture
def generate(tiny, monkeypatch):
    """Generate with the named methods, all in place of the installed plugins."""
    import textedit_bench.registry as registry
    from textedit_bench.benchmark import run_generation

    monkeypatch.setattr(sys.modules["bench_tiny"], "Draw", Draw, raising=False)
    monkeypatch.setattr(sys.modules["bench_tiny_cards"], "draw", Draw.info, raising=False)
    known = registry.entry_points
    extra = EntryPoint("draw", "bench_tiny_cards:draw", registry.METHODS)
    monkeypatch.setattr(
        registry, "entry_points", lambda group: [*known(group), extra] if group == registry.METHODS else known(group)
    )
    silent = type(
        "Silent", (), {name: lambda self, *_: None for name in ("note", "begin", "working", "ended", "close")}
    )

    def run(results, *methods, **options):
        return run_generation(tiny.request(results, *(methods or ("draw",)), **options), silent())

    return run


def _cells(results):
    return sorted((results / "mini" / "tiny" / "_generated").glob("*/records.parquet"))


def test_every_prompt_is_generated_judged_and_tabulated(generate, tmp_path):
    summary = generate(tmp_path / "r")
    assert summary.exit_code == 0 and len(summary.outcomes) == 3
    records = pd.concat([pd.read_parquet(path) for path in _cells(tmp_path / "r")])
    assert set(records["metric"]) == {
        "success", "r_precision", "reciprocal_rank", "clip_score", "clip_score_in_loop", "pair_distance", "same_subject"
    }  # fmt: skip
    assert records.groupby(["prompt_id", "metric"]).size().unique().tolist() == [4]
    table = pd.read_csv(tmp_path / "r" / "mini" / "generation.csv")
    assert list(table["method"].unique()) == ["draw"] and sorted(table["prompts"]) == [1, 2]
    mean = records[(records["metric"] == "pair_distance") & (records["prompt_id"] == "cap")]["value"].mean()
    assert table.loc[table["prompts"] == 1, "pair_distance"].item() == pytest.approx(mean)
    assert np.isfinite(table["fid_real"]).all()
    with Image.open(tmp_path / "r" / "mini" / "tiny" / "draw" / "generation.png") as sheet:
        assert sheet.width > 4 * 128
    assert "Pairs taken for one subject" in summary.tables["mini"]


def test_every_setting_has_a_sheet_of_its_own(generate, tmp_path):
    def pictures():
        paths = (tmp_path / "mini" / "tiny" / "draw").glob("*.png")
        return {path.stem: np.asarray(Image.open(path))[40:].tobytes() for path in paths}  # without the title

    generate(tmp_path)
    first = pictures()
    generate(tmp_path, settings={"size": 0.5})
    (name,) = pictures().keys() - first.keys()
    assert list(first) == ["generation"] and name.startswith("generation-size-0-5-")
    assert pictures()["generation"] == first["generation"] != pictures()[name]


def test_many_pictures_are_judged_in_passes_with_equal_records(generate, tmp_path, monkeypatch, tiny):
    sizes = []
    for name in ("encode_image", "predict"):
        original = getattr(tiny.module.TinyEmbedder, name)

        def seen(self, images, original=original, **options):
            sizes.append(len(images))
            return original(self, images, **options)

        monkeypatch.setattr(tiny.module.TinyEmbedder, name, seen)
    for batch in (24, 3):
        monkeypatch.setattr(shards, "BATCH", batch)
        sizes.clear()
        assert generate(tmp_path / str(batch)).exit_code == 0
        assert max(sizes) == min(batch, 4)
    for whole, parts in zip(_cells(tmp_path / "24"), _cells(tmp_path / "3"), strict=True):
        pd.testing.assert_frame_equal(pd.read_parquet(whole), pd.read_parquet(parts))


def test_success_is_what_the_oracle_reads(generate, tmp_path, tiny):
    generate(tmp_path / "r")
    domain = sys.modules["bench_tiny"].TinyDomain
    from textedit_bench.bench.pictures import read_pictures, to_images
    from textedit_bench.registry import load_dataset

    oracle = domain(load_dataset(str(tiny.card)), "mini").network("oracle")
    for path in _cells(tmp_path / "r"):
        records = pd.read_parquet(path)
        prompt = records["prompt_id"].iloc[0]
        ids = json.loads((path.parent / "manifest.json").read_text())["infer"]["ids"]
        seen = oracle.predict(to_images(read_pictures(path.parent / "images.zip", ids, ["1"])["1"]))
        column, value = {"blond": (0, 1), "dark": (0, 0), "cap": (1, 1)}[prompt]
        wanted = dict(zip(ids, (seen[:, column] == value).double().tolist(), strict=True))
        found = records[records["metric"] == "success"].set_index("image")["value"].to_dict()
        assert found == wanted


def test_a_second_run_is_cached_and_the_table_is_the_same(generate, tmp_path):
    generate(tmp_path / "r")
    before = (tmp_path / "r" / "mini" / "generation.csv").read_bytes()
    again = generate(tmp_path / "r")
    assert [o.state.value for o in again.outcomes] == ["cached"] * 3
    assert (tmp_path / "r" / "mini" / "generation.csv").read_bytes() == before
    generate(tmp_path / "other")
    assert (tmp_path / "other" / "mini" / "generation.csv").read_bytes() == before


def test_methods_without_the_task_are_not_applicable(generate, tmp_path):
    summary = generate(tmp_path / "r", "draw", "shift")
    assert summary.exit_code == 0
    assert [o.state.value for o in summary.outcomes] == ["done"] * 3 + ["not applicable"] * 3
    assert "does not generate" in summary.outcomes[-1].reason


def test_edits_and_generations_keep_out_of_each_others_tables(generate, tmp_path, tiny):
    generate(tmp_path / "r")
    tiny.run(tmp_path / "r", "shift", strengths=(1.0,), controls=False)
    assert "draw" not in pd.read_csv(tmp_path / "r" / "mini" / "table.csv")["method"].tolist()
    generate(tmp_path / "r")
    assert pd.read_csv(tmp_path / "r" / "mini" / "generation.csv")["method"].unique().tolist() == ["draw"]


@pytest.mark.parametrize(
    ("error", "state"),
    [(KeyboardInterrupt(), State.INTERRUPTED), (OSError(errno.ENOSPC, "No space left on device"), State.FAILED)],
)
def test_an_end_while_tables_are_written_is_an_outcome(generate, tmp_path, monkeypatch, error, state):
    def stopped(*_):
        raise error

    monkeypatch.setattr("textedit_bench.benchmark.write_generation", stopped)
    summary = generate(tmp_path / "r")
    assert [(o.label, o.state) for o in summary.outcomes[3:]] == [("tables", state)]
    assert "the same command continues" in summary.notes[0]
    assert len(_cells(tmp_path / "r")) == 3


def test_another_seed_gives_other_pictures(generate, tmp_path):
    generate(tmp_path / "r")
    generate(tmp_path / "r", seed=1)
    assert len(_cells(tmp_path / "r")) == 6


def test_more_pictures_than_the_data_set_has_are_refused(generate, tmp_path):
    with pytest.raises(UserError, match="images"):
        generate(tmp_path / "r", images=999)


def test_pair_distances_by_hand():
    images = torch.tensor([0.0, 1.0, 3.0]).view(3, 1, 1, 1).expand(-1, 3, 2, 2)
    found = pair_distances(images, lambda a, b: (a - b).abs().mean((1, 2, 3)))
    assert found.tolist() == pytest.approx([2.0, 1.5, 2.5])
    assert pair_distances(images[:1], lambda a, b: a).isnan().all()


@given(st.integers(2, 40), st.integers(0, 2**31))
@settings(deadline=None, max_examples=30)
def test_pair_distances_do_not_depend_on_the_order(n, seed):
    images = torch.rand(n, 3, 1, 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

    def distance(a, b):
        return (a - b).square().mean((1, 2, 3))

    order = torch.arange(len(images)).flip(0)
    assert torch.allclose(pair_distances(images, distance)[order], pair_distances(images[order], distance))


def test_pictures_taken_for_another_by_hand():
    vectors = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
    assert taken_for_another(vectors, 0.7).tolist() == [0.5, 0.5, 0.0]
    assert taken_for_another(vectors, 0.5).tolist() == [0.5, 1.0, 0.5]
    assert taken_for_another(vectors[:1], 0.5).isnan().all()
    vectors[2] = torch.nan  # no face found
    assert taken_for_another(vectors, 0.7)[2].isnan() and taken_for_another(vectors, 0.7)[0] == 0.5
