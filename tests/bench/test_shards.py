"""A bench in shards: equal bytes whatever their size, resumed at the shard, pictures kept or made again."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from textedit_bench.bench import kept as kept_pictures
from textedit_bench.bench import shards
from textedit_bench.bench.cell import read_manifest
from textedit_bench.bench.kept import PicturesGoneError, save_arrays
from textedit_bench.bench.pictures import write_pictures
from textedit_bench.bench.progress import State
from textedit_bench.bench.request import POLICIES
from textedit_bench.bench.scoring import write_table
from textedit_bench.bench.shards import (
    cut_shards,
    join_array,
    join_codes,
    join_pictures,
    join_records,
    pass_size,
    write_tensor,
)

IMAGES = 8


@given(
    images=st.integers(1, 5000),
    resolution=st.sampled_from([16, 64, 256, 512, 1024, 2048]),
    strengths=st.integers(1, 12),
    asked=st.integers(0, 300),
)
def test_shards_cover_every_image_once_in_whole_passes(images, resolution, strengths, asked):
    cut, one = cut_shards(images, resolution, strengths, asked), pass_size(resolution)
    assert [i for shard in cut for i in range(shard.start, shard.stop)] == list(range(images))
    assert all(len(shard) % one == 0 for shard in cut[:-1])
    assert max(map(len, cut)) <= max(asked + one - 1, one, shards.SHARD_BYTES // (3 * resolution**2 * strengths))


@settings(max_examples=20, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    strengths=st.integers(1, 3),
    seed=st.integers(0, 1000),
    shuffled=st.booleans(),
)
def test_joined_files_have_the_bytes_of_files_written_at_once(tmp_path_factory, sizes, strengths, seed, shuffled):
    folder, draw = tmp_path_factory.mktemp("joined"), np.random.default_rng(seed)
    images = sum(sizes)
    ids = [f"photo {i} é" for i in (draw.permutation(images) if shuffled else range(images))]
    codes = torch.from_numpy(draw.random((strengths, images, 3, 5), np.float32))
    features = draw.random((strengths, images, 7), np.float32)
    pixels = draw.integers(0, 255, (strengths, images, 4, 4, 3), np.uint8)
    groups = [str(strength) for strength in range(strengths)]
    rows = [(name, float(s), metric) for name in sorted(ids) for s in range(strengths) for metric in ("A", "b")]
    records = pd.DataFrame(rows, columns=["image", "strength", "metric"]).assign(value=draw.random(len(rows)))

    save_file({"codes": codes}, folder / "codes")
    save_arrays(folder / "features", {"features": features})
    write_pictures(folder / "pictures", dict(zip(groups, pixels, strict=True)), ids)
    write_table(records, folder / "records")
    parts, start = [], 0
    for number, size in enumerate(sizes):
        there = slice(start, start + size)
        own = ids[there]
        part = folder / str(number)
        part.mkdir()
        save_file({"codes": codes[:, there].contiguous()}, part / "codes")
        save_arrays(part / "features", {"features": features[:, there]})
        write_pictures(part / "pictures", dict(zip(groups, pixels[:, there], strict=True)), own, ids)
        write_table(records[records["image"].isin(own)], part / "records")
        parts.append(part)
        start += size
    joined = folder / "whole"
    joined.mkdir()
    join_codes(joined / "codes", [part / "codes" for part in parts])
    join_array(joined / "features", "features", [part / "features" for part in parts])
    join_pictures(joined / "pictures", [part / "pictures" for part in parts], groups)
    join_records(joined / "records", [part / "records" for part in parts], ids, 2 * strengths)
    for name in ("codes", "features", "pictures", "records"):
        assert (joined / name).read_bytes() == (folder / name).read_bytes(), name


def test_blocks_that_do_not_fill_a_tensor_are_refused(tmp_path):
    with pytest.raises(ValueError, match="blocks of 8 bytes"):
        write_tensor(tmp_path / "codes", "codes", [3], [torch.zeros(2)])


def stored(results, method="shift", prompt="cap"):
    for path in sorted((results / "mini" / "tiny" / method).glob("*/manifest.json")):
        if json.loads(path.read_text())["identity"]["prompt_id"] == prompt:
            return path.parent
    raise AssertionError(f"no cell of {method}")


def test_every_byte_is_the_same_whatever_the_size_of_shards(tiny, small_passes, tmp_path, contents):
    methods = ("shift", "styles", "picture")
    for shard in (0, 1, 6):
        summary = tiny.run(tmp_path / str(shard), *methods, images=IMAGES, shard=shard)
        assert summary.exit_code == 0, summary.text()
    whole = contents(tmp_path / "0")
    assert sum(name.endswith("records.parquet") for name in whole) == 3 * 3 + 3 + 2 * 3
    for shard in (1, 6):
        assert contents(tmp_path / str(shard)) == whole
        assert not list((tmp_path / str(shard)).rglob("shards/*/*")), "parts are left"
    cost = pd.read_parquet(stored(tmp_path / "1") / "cost.parquet")
    assert set(cost["images"]) == {IMAGES * 3} and cost["stage"].is_unique


def test_a_failure_in_the_middle_of_a_cell_loses_one_shard(tiny, small_passes, tmp_path, monkeypatch, contents):
    edited: list[str] = []
    original = tiny.module.Shift.edit

    def edit(self, latents, prompt, strength=1.0):
        if "evaluation-5" in latents.ids and not edited.count("evaluation-5"):
            edited.append("evaluation-5")
            raise RuntimeError("the card fell off")
        edited.extend(latents.ids)
        return original(self, latents, prompt, strength)

    monkeypatch.setattr(tiny.module.Shift, "edit", edit)
    options = {"images": IMAGES, "shard": 2, "controls": False, "prompts": ("cap",)}
    first = tiny.run(tmp_path / "r", "shift", **options)
    assert first.counts == {State.FAILED: 1}
    edited[:] = ["evaluation-5"]
    assert tiny.run(tmp_path / "r", "shift", **options).counts == {State.DONE: 1}
    assert set(edited) == {f"evaluation-{i}" for i in range(4, 8)}  # the first two shards were there
    tiny.run(tmp_path / "whole", "shift", **{**options, "shard": 0})
    assert contents(tmp_path / "r") == contents(tmp_path / "whole")


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(POLICIES, 2)))
def test_a_cell_resumed_with_another_choice_of_pictures_keeps_the_last_choice(
    tiny, small_passes, tmp_path, monkeypatch, before, after
):
    monkeypatch.setattr(kept_pictures, "SHOWN", 3)
    options = {"images": IMAGES, "shard": 2, "controls": False, "prompts": ("cap",)}
    with monkeypatch.context() as patch:
        original = tiny.module.Shift.edit

        def edit(self, latents, prompt, strength=1.0):
            if "evaluation-5" in latents.ids:
                raise RuntimeError("the card fell off")
            return original(self, latents, prompt, strength)

        patch.setattr(tiny.module.Shift, "edit", edit)
        assert tiny.run(tmp_path / "r", "shift", keep_pictures=before, **options).counts == {State.FAILED: 1}
    assert tiny.run(tmp_path / "r", "shift", keep_pictures=after, **options).counts == {State.DONE: 1}
    tiny.run(tmp_path / "whole", "shift", keep_pictures=after, **{**options, "shard": 0})
    resumed, whole = ({path.name: path for path in stored(tmp_path / name).iterdir()} for name in ("r", "whole"))
    assert resumed.keys() == whole.keys()
    for name in ("records.parquet", "features.npz", "edits.safetensors", "images.zip", "digests.npz"):
        assert name not in whole or resumed[name].read_bytes() == whole[name].read_bytes(), name
    assert read_manifest(stored(tmp_path / "r")).infer.pictures.kept == after


def test_only_one_shard_of_pictures_is_in_memory(tiny, small_passes, tmp_path, monkeypatch):
    largest = []
    original = kept_pictures.Kept.files

    def files(self, strengths, everyone, ids, pixels):
        largest.append(max(len(group) for group in pixels))
        return original(self, strengths, everyone, ids, pixels)

    monkeypatch.setattr(kept_pictures.Kept, "files", files)
    tiny.run(tmp_path, "shift", images=IMAGES, shard=2)
    assert max(largest) == 2


@pytest.mark.parametrize("policy", ["all", "shown", "none"])
def test_pictures_that_were_not_kept_are_made_again_from_the_codes(tiny, small_passes, tmp_path, monkeypatch, policy):
    monkeypatch.setattr(kept_pictures, "SHOWN", 3)
    options = {"images": IMAGES, "shard": 4}
    tiny.run(tmp_path / "all", "shift", **options)
    tiny.run(tmp_path / "kept", "shift", keep_pictures=policy, **options)
    whole, cell = stored(tmp_path / "all"), stored(tmp_path / "kept")
    assert (whole / "records.parquet").read_bytes() == (cell / "records.parquet").read_bytes()
    assert (cell / "images.zip").exists() == (policy != "none")
    if policy != "all":
        assert sum(p.stat().st_size for p in cell.rglob("*.zip")) < 0.5 * (whole / "images.zip").stat().st_size

    ids = [f"evaluation-{i}" for i in (6, 0, 3)]
    manifest = read_manifest(cell)
    domain = tiny.module.TinyDomain(_card(tiny), "mini")
    made = kept_pictures.CellPictures(cell, manifest, lambda: domain).read(ids, [0.0, 2.0])
    want = tiny.module.stored_pictures(whole).read(ids, [0.0, 2.0])
    assert all(np.array_equal(a, b) for a, b in zip(made, want, strict=True))
    if policy != "all":
        with pytest.raises(PicturesGoneError, match="were not kept"):
            tiny.module.stored_pictures(cell).read(ids, [1.0])

    # New scores of edits without pictures are those of edits with them.
    for path in (tmp_path / "kept").rglob("records.parquet"):
        path.unlink()
    again = tiny.run(tmp_path / "kept", "shift", infer=False, **options)
    assert again.exit_code == 0, again.text()
    assert (cell / "records.parquet").read_bytes() == (whole / "records.parquet").read_bytes()


def test_a_report_shows_pictures_that_were_not_kept(tiny, small_passes, tmp_path):
    from textedit_bench.bench.store import Store
    from textedit_bench.report.html_page.write import write_picture_report

    pages = []
    for policy in ("all", "none"):
        tiny.run(tmp_path / policy, "shift", "picture", images=IMAGES, keep_pictures=policy)
        written = write_picture_report(Store(tmp_path / policy), "mini", images=2, plots=False)
        pages.append(written.path.read_text())
    whole, made = pages
    assert made.count("data:image/webp") > 0.5 * whole.count("data:image/webp")
    # What a method of codes shows is the same; what one of pictures showed is gone, and the page is there all the same.
    assert "were not kept" in made and "were not kept" not in whole


def test_pictures_that_come_out_different_are_told(tiny, small_passes, tmp_path, monkeypatch, caplog):
    tiny.run(tmp_path, "shift", images=IMAGES, keep_pictures="none", controls=False)
    cell = stored(tmp_path)
    digests = np.load(cell / "digests.npz")["digests"].copy()
    digests[1, 4] ^= 1
    save_arrays(cell / "digests.npz", {"digests": digests})
    domain = tiny.module.TinyDomain(_card(tiny), "mini")
    pictures = kept_pictures.CellPictures(cell, read_manifest(cell), lambda: domain)
    pictures.read([f"evaluation-{i}" for i in range(IMAGES)], [0.0, 1.0])
    assert "1 of 16 pictures that were synthesised again differ from the original ones" in caplog.text


def test_a_method_of_pictures_without_them_is_not_applicable(tiny, small_passes, tmp_path):
    options = {"images": IMAGES, "keep_pictures": "none", "controls": False}
    tiny.run(tmp_path, "picture", **options)
    for path in tmp_path.rglob("records.parquet"):
        path.unlink()
    again = tiny.run(tmp_path, "picture", infer=False, **options)
    assert again.counts == {State.NOT_APPLICABLE: 3} and "no codes to make them from" in again.text()


def _card(tiny):
    from textedit_bench.data.card import read_card

    return read_card(tiny.card)
