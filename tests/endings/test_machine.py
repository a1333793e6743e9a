"""What the machine cannot do is one line; who may read a file stays as it was; an old checkpoint outlives a new one."""

from __future__ import annotations

import errno
import os
import signal
import stat

import pytest
import torch

from textedit_bench.cli.main import machine_failure, main
from textedit_bench.files import write_atomically, write_text
from textedit_bench.fit import WholeCheckpoints

FAILURES = {
    "disk": (OSError(errno.ENOSPC, "No space left on device", "a.png"), "a.png: the disk is full"),
    "quota": (OSError(errno.EDQUOT, "Disk quota exceeded"), "the disk is full"),
    "wrapped": (RuntimeError("I/O error: No space left on device (os error 28)"), "the disk is full"),
    "closed": (PermissionError(errno.EACCES, "Permission denied", "b.csv"), "b.csv: Permission denied"),
    "read-only": (OSError(errno.EROFS, "Read-only file system", "c"), "c: Read-only file system"),
    "many files": (OSError(errno.EMFILE, "Too many open files"), "the system refused: Too many open files"),
    "memory": (MemoryError(), "memory ran out"),
    "memory of a GPU": (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "memory ran out"),
    "memory of torch": (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "memory ran out"),
    "memory of an import": (ImportError("libtorch_cpu.so: failed to map segment from shared object"), "memory ran out"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_of_the_machine_is_one_line_and_exit_code_1(name, monkeypatch, capsys):
    error, told = FAILURES[name]
    assert told in (machine_failure(error) or "")

    def fails(*_given, **_named):
        raise error

    monkeypatch.setattr("textedit_bench.cli.main.app", fails)
    assert main(["methods"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("textedit-bench: ") and told in line


def test_any_other_error_keeps_its_traceback(monkeypatch):
    def fails(*_given, **_named):
        raise KeyError("a mistake of ours")

    monkeypatch.setattr("textedit_bench.cli.main.app", fails)
    with pytest.raises(KeyError):
        main(["methods"])


def test_a_folder_that_was_removed_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert main(["methods"]) == 2
    assert capsys.readouterr().err == "textedit-bench: the current folder was removed; change to one that exists\n"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
@pytest.mark.parametrize("before", [None, 0o600, 0o660, 0o644])
def test_who_may_read_a_file_is_as_it_was_or_as_the_umask_says(tmp_path, umask, before):
    path = tmp_path / "file"
    if before is not None:
        path.touch()
        path.chmod(before)
    former = os.umask(umask)
    try:
        write_text(path, "new")
    finally:
        os.umask(former)
    assert stat.S_IMODE(path.stat().st_mode) == (0o666 & ~umask if before is None else before)


def test_a_link_is_followed_and_a_device_is_written_as_it_is(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far" / "file")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "far" / "file").read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(tmp_path / "pipe", lambda path: path.write_bytes(b"new"), durable=False)
    assert os.read(reader, 10) == b"new"
    os.close(reader)


def test_a_checkpoint_outlives_one_that_cannot_be_written(tmp_path, monkeypatch):
    files = WholeCheckpoints()
    files.save_checkpoint({"step": 1}, tmp_path / "last.ckpt")

    def half(_content, path):
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="No space"):
        files.save_checkpoint({"step": 2}, tmp_path / "last.ckpt")
    assert torch.load(tmp_path / "last.ckpt", weights_only=True) == {"step": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_under_slurm_a_training_is_stopped_and_kept_too(start, toy, tmp_path):
    """Lightning then takes SIGTERM for a notice of the scheduler's and goes on."""
    sets = ["steps_per_epoch=100000", "num_codes=8", "batch_size=2"]
    words = ["train", "-m", "ffclip", "-d", toy, "-t", "mini", "-o", "w.safetensors", "--folder", "ck"]
    slurm = {"SLURM_NTASKS": "1", "SLURM_JOB_ID": "7", "SLURM_JOB_NAME": "train", "SLURM_PROCID": "0"}
    slurm |= {"SLURM_LOCALID": "0", "SLURM_NODEID": "0", "SLURM_NTASKS_PER_NODE": "1"}
    running = start(*words, *(word for setting in sets for word in ("--set", setting)), environment=slurm)
    running.until(lambda: "step " in running.text())
    before = running.computed()
    running.until(lambda: running.computed() > before + 0.7)
    running.send(signal.SIGTERM)
    assert running.wait() == 143, running.text()
    assert list((tmp_path / "ck").rglob("last.ckpt"))
