"""How exactly cells are computed: float32 unless something else was asked, wherever a domain is; and recorded."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest
import torch

from textedit_bench.bench.machine import environment
from textedit_bench.bench.request import BenchRequest
from textedit_bench.devices import PRECISIONS
from textedit_bench.domain import Domain, load_domain
from textedit_bench.errors import UserError
from textedit_bench.registry import load_dataset
from textedit_bench.testing import write_toy_dataset
from textedit_bench.testing.pretend_cuda import PretendCuda
from textedit_bench.training import RunOptions


@pytest.fixture(autouse=True)
def _torchs_own_again():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


def _rounds() -> tuple[bool, bool]:
    """Whether products and convolutions of CUDA may round to TF32."""
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    return str(write_toy_dataset(tmp_path_factory.mktemp("toy")))


def test_on_cuda_nothing_is_rounded_unless_asked(card):
    torch.backends.cudnn.allow_tf32 = True  # torch's own default
    with PretendCuda():
        load_domain(card, "mini", "cuda")
        assert _rounds() == (False, False)
        Domain(load_dataset(card), "mini", "cuda", "tf32")
        assert _rounds() == (True, True)
        Domain(load_dataset(card), "mini", "cuda", "bf16")
        assert _rounds() == (False, False)


def test_the_cpu_is_left_alone(card):
    torch.backends.cudnn.allow_tf32 = True
    load_domain(card, "mini")
    assert torch.backends.cudnn.allow_tf32


def test_bf16_is_of_the_generator_and_its_pictures_are_float32(card):
    exact, rounded = (Domain(load_dataset(card), "mini", "cpu", name).generator for name in ("highest", "bf16"))
    codes = exact.broadcast(exact.map(torch.randn(2, exact.z_dim, generator=torch.Generator().manual_seed(0))))
    want, got = exact.synthesize(codes), rounded.synthesize(codes)
    assert got.dtype == torch.float32
    assert 0 < (got - want).abs().max() < 0.1 * want.abs().max()
    assert torch.equal(rounded.to_style(codes), exact.to_style(codes))


@pytest.mark.parametrize(("precision", "words"), [("half", "valid|half"), ("tf32", "tf32 is one of CUDA devices")])
def test_a_precision_that_the_device_lacks_is_refused(card, precision, words):
    with pytest.raises(UserError, match=words):
        BenchRequest(precision=precision)
    with pytest.raises(UserError, match=words):
        Domain(load_dataset(card), "mini", "cpu", precision)


def test_kind_of_device_and_precision_make_other_cells_and_the_usual_ones_do_not_say_them(tiny, tmp_path):
    from textedit_bench.bench.cell import ImageSet
    from textedit_bench.bench.plan import plan

    def identity(**options):
        (made,) = plan(replace(tiny.request(tmp_path, "shift"), **options))
        method, _ = made.rows[0]
        cell = made.cell(method, made.prompts[0], images=ImageSet("evaluation", 2, "a"), networks={}, weights=None)
        return cell.identity()

    assert {"device", "precision"} & identity().keys() == set()
    kinds = [{}, *({"device": "cuda", "precision": name} for name in PRECISIONS), {"precision": "bf16"}]
    for one, other in itertools.combinations(map(lambda kind: identity(**kind), kinds), 2):
        assert one != other
    assert identity(device="cuda:1") == identity(device="cuda")


def test_a_rounded_bench_is_kept_apart_from_the_exact_one_and_done_again_as_it_was(tiny, tmp_path):
    def bench(**options):
        summary = tiny.run(tmp_path / "r", "shift", controls=False, **options)
        return set(map(str, summary.counts)), (tmp_path / "r" / "mini" / "table.csv").read_bytes()

    (ends, table), (ends_rounded, _) = bench(), bench(precision="bf16")
    assert ends == ends_rounded == {"done"}
    stored = [json.loads(path.read_text())["identity"] for path in (tmp_path / "r").rglob("shift/*/manifest.json")]
    assert [i.get("precision", "highest") for i in stored].count("bf16") * 2 == len(stored) > 0
    assert bench() == ({"cached"}, table)


def test_the_record_names_cards_and_versions_where_cuda_is_used():
    assert "cards" not in environment()
    with PretendCuda(devices=2):
        known = environment()
    assert known["cards"] == ["pretended GPU"] * 2
    assert {"cuda", "cudnn", "tf32"} <= known.keys()


@pytest.mark.parametrize(("asked", "run"), [("highest", "32-true"), ("bf16", "bf16-mixed"), ("tf32", "tf32")])
def test_a_training_understands_the_same_names(tmp_path, asked, run):
    assert RunOptions(precision=asked, folder=tmp_path).precision == run
