"""Codes of files and of the generator: read in part, the same in any order, refused where they do not fit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from textedit_bench.data.codes import StoredCodes, draw_codes
from textedit_bench.errors import UserError
from textedit_bench.models import Generator

CODES = torch.arange(5 * 3 * 2).float().reshape(5, 3, 2)


def _save(path, codes):
    if path.suffix == ".npy":
        np.save(path, codes.numpy())
    elif path.suffix == ".npz":
        np.savez(path, w=codes.numpy())
    elif path.suffix == ".safetensors":
        save_file({"w_plus": codes}, path)
    else:
        torch.save({"latents": codes} if path.suffix == ".pth" else codes, path)
    return path


@pytest.mark.parametrize("name", ["a.pt", "A.PT", "a.pth", "a.npy", "a.npz", "a.safetensors"])
def test_every_format_gives_the_same_codes(tmp_path, name):
    stored = StoredCodes(_save(tmp_path / name, CODES), 3, 2)
    assert len(stored) == 5
    assert torch.equal(stored.read(1, 3), CODES[1:4])


def test_w_codes_are_repeated_for_all_rows(tmp_path):
    stored = StoredCodes(_save(tmp_path / "a.npy", CODES[:, 0]), 3, 2)
    assert torch.equal(stored.read(0, 5), CODES[:, :1].repeat(1, 3, 1))


def test_one_code_without_its_first_axis_is_not_taken_for_as_many_photos(tmp_path):
    with pytest.raises(UserError, match=r"one code of every row, or 3 W codes; valid: \[1, 3, 2\], or \[3, 1, 2\]"):
        StoredCodes(_save(tmp_path / "a.pt", CODES[0]), 3, 2)
    assert torch.equal(StoredCodes(_save(tmp_path / "b.pt", CODES[:1]), 3, 2).read(0, 1), CODES[:1])
    stored = StoredCodes(_save(tmp_path / "c.pt", CODES[:3, :1]), 3, 2)
    assert torch.equal(stored.read(0, 3), CODES[:3, :1].repeat(1, 3, 1))


def test_codes_of_another_generator_or_kind_are_refused(tmp_path):
    path = _save(tmp_path / "a.npy", CODES)
    with pytest.raises(UserError, match=r"codes \[5, 3, 2\], but the generator takes \[N, 4, 2\]"):
        StoredCodes(path, 4, 2)
    np.save(tmp_path / "b.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    torch.save({"a": CODES, "b": CODES}, tmp_path / "c.pt")
    torch.save(print, tmp_path / "d.pt")  # needs code to be read
    (tmp_path / "e.pt").write_bytes(b"damaged")
    (tmp_path / "f.txt").write_text("codes")
    refused = {
        "b.npy": "cannot be read",
        "c.pt": "holds 2 tensors",
        "d.pt": "cannot be read",
        "e.pt": "cannot be read",
        "f.txt": "unknown ending '.txt'",
        "none.pt": "there is no such file",
    }
    for name, said in refused.items():
        with pytest.raises(UserError, match=said) as caught:
            StoredCodes(tmp_path / name, 3, 2)
        assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("dtype", ["<f2", ">f4", ">f8", "<i8", ">u2"])
def test_numbers_of_any_size_and_byte_order_are_read(tmp_path, dtype):
    np.save(tmp_path / "a.npy", CODES.numpy().astype(dtype))
    assert torch.equal(StoredCodes(tmp_path / "a.npy", 3, 2).read(1, 3), CODES[1:4])


@pytest.mark.parametrize("dtype", ["U8", "M8[s]", [("a", "f4")], "longdouble", "complex128", "?"])
def test_what_is_no_number_of_a_network_is_refused_by_its_type(tmp_path, dtype):
    np.save(tmp_path / "a.npy", np.zeros((5, 3, 2), dtype))
    with pytest.raises(UserError, match=r"holds \w+.*; valid: float16, float32, float64, bfloat16, int8"):
        StoredCodes(tmp_path / "a.npy", 3, 2)


@pytest.mark.parametrize("codes", [CODES.to_sparse(), CODES.to(torch.complex64), CODES > 0, CODES.to("meta")])
def test_tensors_without_plain_numbers_are_refused(tmp_path, codes):
    torch.save(codes, tmp_path / "a.pt")
    with pytest.raises(UserError, match=r"holds (a sparse, nested or empty tensor|complex64|bool)"):
        StoredCodes(tmp_path / "a.pt", 3, 2)


def test_brain_floats_and_trained_parameters_are_read(tmp_path):
    save_file({"w": CODES.bfloat16()}, tmp_path / "a.safetensors")
    torch.save(torch.nn.Parameter(CODES), tmp_path / "b.pt")
    for name in ("a.safetensors", "b.pt"):
        codes = StoredCodes(tmp_path / name, 3, 2).read(0, 5)
        assert torch.equal(codes, CODES) and not codes.requires_grad


def test_a_file_of_an_old_torch_is_read_and_may_run_no_code_either(tmp_path):
    torch.save(CODES, tmp_path / "a.pt", _use_new_zipfile_serialization=False)
    assert torch.equal(StoredCodes(tmp_path / "a.pt", 3, 2).read(1, 3), CODES[1:4])
    for new in (False, True):
        torch.save(print, tmp_path / "b.pt", _use_new_zipfile_serialization=new)
        with pytest.raises(UserError, match="whose reading could run code") as caught:
            StoredCodes(tmp_path / "b.pt", 3, 2)
        assert "weights_only" not in str(caught.value)


def test_numbers_that_are_not_finite_are_refused_with_their_position(tmp_path):
    codes = CODES.clone()
    codes[3, 0, 0] = torch.nan
    stored = StoredCodes(_save(tmp_path / "a.pt", codes), 3, 2)
    assert stored.read(0, 3).shape == (3, 3, 2)
    with pytest.raises(UserError, match="code 3 holds"):
        stored.read(2, 2)


def test_a_sample_depends_on_seed_split_and_number_alone():
    generator = Generator(8, 4, 4, n_mlp=1, channels={4: 4, 8: 4}).eval()
    draw = lambda numbers, split="train", seed=0, psi=1.0: draw_codes(  # noqa: E731
        generator, split, numbers, truncation=psi, seed=seed
    )
    together = draw(range(6))
    assert together.shape == (6, generator.num_rows, 4)
    assert torch.equal(torch.cat([draw([n]) for n in (5, 2)]), together[[5, 2]])
    assert not torch.equal(draw([0], "evaluation"), together[:1])
    assert not torch.equal(draw([0], seed=1), together[:1])
    assert torch.allclose(draw([0], psi=0.0)[0, 0], generator.w_mean)
