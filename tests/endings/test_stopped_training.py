"""A training that a signal stops says so and keeps what it learnt; the same command goes on from there."""

from __future__ import annotations

import re
import signal

import torch

LONG = "100000"


def _stop(begun) -> None:
    """Send the signal while steps are made; the checks of every end."""
    begun.until(lambda: "step " in begun.text())
    before = begun.computed()
    begun.until(lambda: begun.computed() > before + 0.7)
    begun.send(signal.SIGTERM)
    assert begun.wait() == 143, begun.text()
    assert "Traceback" not in begun.text()
    assert begun.text().splitlines()[-1] == "textedit-bench: interrupted (SIGTERM)"


def test_a_training_is_kept_within_its_first_epoch_and_goes_on(start, toy, tmp_path):
    sets = [f"steps_per_epoch={LONG}", "num_codes=8", "batch_size=2"]
    words = ["train", "-m", "ffclip", "-d", toy, "-t", "mini", "-o", "w.safetensors", "--folder", "ck"]
    words += [word for setting in sets for word in ("--set", setting)]
    begun = start(*words)
    _stop(begun)
    [kept] = (tmp_path / "ck").rglob("last.ckpt")
    steps = torch.load(kept, weights_only=True)["global_step"]
    assert steps > 0 and f"stopped at step {steps}; the same command goes on" in begun.text()
    again = start(*words)
    _stop(again)
    assert int(re.search(r"step (\d+)/", again.text())[1]) == steps
    assert not (tmp_path / "w.safetensors").exists()


def test_an_edit_that_trains_a_mapper_writes_no_picture_and_goes_on(start, toy, tmp_path):
    sets = [f"steps={LONG}", "num_codes=16", "validation_codes=2"]
    words = ["edit", "evaluation-00000", "bright top", "-m", "styleclip-mapper", "-d", toy, "-t", "mini"]
    words += [word for setting in sets for word in ("--set", setting)]
    _stop(start(*words))
    assert list((tmp_path / "home").rglob("last.ckpt"))
    _stop(again := start(*words))
    assert not re.search(r"step 0/", again.text())
    assert not (tmp_path / "edit.png").exists()
