"""A checkpoint that is not what was written is set aside, and the run ends as if it had never been there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from textedit_bench.training.run import _set_aside_damaged


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "text"])
def test_a_damaged_checkpoint_is_set_aside(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"state": torch.arange(1000.0)}, path)
    whole = path.read_bytes()
    middle = whole.index(torch.arange(1000.0).numpy().tobytes()) + 2000
    changed = {
        "cut": whole[: len(whole) // 2],
        "bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "empty": b"",
        "text": b"not a checkpoint",
    }
    path.write_bytes(changed[damage])
    _set_aside_damaged(path)
    assert not path.exists()
    assert (tmp_path / "last.ckpt.corrupt-1").read_bytes() == changed[damage]
    assert "set aside" in caplog.text


def test_a_whole_checkpoint_stays(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    torch.save({"state": torch.arange(1000.0)}, path)
    _set_aside_damaged(path)
    _set_aside_damaged(tmp_path / "none.ckpt")
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]
