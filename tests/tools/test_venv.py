"""The environment builder: built when missing, reused when complete, repaired when half-finished."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest


def test_a_missing_environment_is_built_and_then_reused(house):
    assert house.build().returncode == 0
    assert house.calls() == ["venv", "uv", "install"]
    again = house.build()
    assert (again.returncode, again.stdout) == (0, "")
    assert house.calls() == []


def test_one_killed_while_it_was_created_is_built_anew(house):
    for death in ({"FAKE_DIE_AT": "venv"}, {"FAKE_KILL_AT": "install"}):
        assert house.build(**death).returncode != 0
        leftover = house.root / ".venv" / "leftover"
        leftover.touch()
        house.calls()

        repaired = house.build()
        assert repaired.returncode == 0
        assert "unfinished" in repaired.stdout
        assert house.calls() == ["venv", "uv", "install"]
        assert not leftover.exists()
        shutil.rmtree(house.root / ".venv")


def test_a_failed_installation_says_so_and_is_not_taken_for_complete(house):
    failed = house.build(FAKE_DIE_AT="install")
    assert failed.returncode == 2
    assert "could not be installed" in failed.stderr
    assert not (house.root / ".venv/.textedit-bench-complete").exists()


def test_a_failed_installation_is_continued_in_what_works(house):
    house.build(FAKE_DIE_AT="install")
    (house.root / ".venv/mine").touch()
    house.calls()
    assert house.build().returncode == 0
    assert house.calls() == ["install"]
    assert (house.root / ".venv/mine").exists()


def _killed_by(house, builder):
    """A house whose build was killed, with the number of another process in its marker."""
    house.build(FAKE_KILL_AT="install")
    marker = house.root / ".venv/.textedit-bench-building"
    assert marker.read_text().strip().isdecimal()
    marker.write_text(f"{builder}\n")
    house.calls()
    return marker


def test_one_that_is_being_built_is_left_to_its_builder(house, tmp_path):
    script = tmp_path / "venv.sh"
    script.write_text("#!/bin/sh\necho started\nread wait\n")
    with subprocess.Popen(["sh", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout.readline() == "started\n"
        marker = _killed_by(house, builder.pid)
        refused = house.build()
        builder.stdin.close()
    assert refused.returncode == 2
    assert f"being built by process {builder.pid}" in refused.stderr
    assert house.calls() == []
    assert marker.exists()


def test_the_number_of_a_dead_builder_in_use_by_another_program_locks_nobody_out(house):
    _killed_by(house, os.getpid())
    assert house.build().returncode == 0
    assert house.calls() == ["venv", "uv", "install"]


@pytest.mark.parametrize(("installer", "without"), [("UV", ""), ("PIP", "yes")])
def test_the_constraints_reach_the_isolated_build_and_pin_its_backend(house, installer, without):
    house.build(FAKE_NO_UV=without)
    found = house.variables()
    assert found[f"{installer}_CONSTRAINT"] == found[f"{installer}_BUILD_CONSTRAINT"] == "constraints.txt"
    requirements = tomllib.loads((house.root / "pyproject.toml").read_text())["build-system"]["requires"]
    pins = [line.partition("==")[0] for line in (house.root / "constraints.txt").read_text().splitlines()]
    assert {re.split("[<>=]", requirement)[0] for requirement in requirements} <= set(pins)


@pytest.mark.parametrize(("without", "extras"), [("", "[dev,demo]"), ("yes", "[dev]")])
def test_the_workshop_is_installed_beside_the_package(house, without, extras):
    house.build(FAKE_NO_UV=without)
    assert house.installed() == ["-e", f".{extras}", "-e", "./workshop"]


def test_an_index_without_uv_is_enough(house):
    assert house.build(FAKE_NO_UV="yes").returncode == 0
    assert house.calls() == ["venv", "uv", "install"]
    assert not (house.root / ".venv/bin/uv").exists()


def test_uv_is_told_what_pip_is_told(house):
    settings = [
        ":env:.cert='/certificates.pem'",
        "global.cert='/other.pem'",
        "global.extra-index-url='\\nhttps://one.example/simple\\nhttps://two.example/simple'",
        "global.find-links='/wheels /more'",
        "global.index-url='https://mirror.example/simple'",
        "global.trusted-host='mirror.example'",
    ]
    house.build(FAKE_SETTINGS="\n".join(settings))
    found = house.variables()
    assert found["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert found["UV_INDEX"].split() == ["https://one.example/simple", "https://two.example/simple"]
    assert found["UV_FIND_LINKS"] == "/wheels,/more"
    assert found["UV_INSECURE_HOST"] == "mirror.example"
    assert found["SSL_CERT_FILE"] == "/certificates.pem"


def test_what_uv_is_told_itself_holds(house):
    house.build(
        FAKE_SETTINGS="global.index-url='https://mirror.example/simple'", UV_DEFAULT_INDEX="https://own.example"
    )
    assert house.variables()["UV_DEFAULT_INDEX"] == "https://own.example"


FULL = [
    "error: Failed to write to the distribution cache\n  Caused by: No space left on device (os error 28)",
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
    "OSError: [Errno 122] Disk quota exceeded",
]
LOST = [
    "error: Failed to fetch: `https://pypi.example/simple/`\n  Caused by: Request failed after 3 retries",
    "  Caused by: error decoding response body",
    "WARNING: Retrying after connection broken by 'NewConnectionError(...): Failed to establish a new connection'",
    "ERROR: Exception:\npip._vendor.urllib3.exceptions.ProtocolError: IncompleteRead(9 bytes read, 1 more expected)",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
    "ERROR: Could not install packages: ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed'))",
]


@pytest.mark.parametrize("stage", ["venv", "uv", "install"])
@pytest.mark.parametrize(
    ("words", "advice"),
    [(words, "the disk is full; make room") for words in FULL] + [(words, "check the network") for words in LOST],
)
def test_a_known_cause_is_the_last_line_and_the_same_command_goes_on(house, stage, words, advice):
    failed = house.build(FAKE_DIE_AT=stage, FAKE_WORDS=words)
    assert failed.returncode == 2
    last = failed.stderr.splitlines()[-1]
    assert last.startswith("textedit_bench: ")
    assert advice in last
    assert "repeat the command" in last
    assert house.build().returncode == 0


def test_a_full_disk_that_nobody_speaks_of_is_seen(house):
    df = Path(house.path) / "df"
    df.unlink(missing_ok=True)
    df.write_text(
        "#!/bin/sh\necho 'Filesystem 1024-blocks Used Available Capacity Mounted on'\necho 'd 10 9 1 99% /'\n"
    )
    df.chmod(0o755)
    failed = house.build(FAKE_DIE_AT="venv", FAKE_WORDS="Error: ensurepip returned non-zero exit status 1.")
    assert "the disk is full" in failed.stderr.splitlines()[-1]


def test_a_place_that_cannot_be_written_is_one_line(house):
    (house.root / "a file").touch()
    refused = house.build(VENV="a file/venv")
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert "a file/venv cannot be written" in line


def test_changed_requirements_update_in_place(house):
    house.build()
    house.calls()
    for name in ("pyproject.toml", "workshop/pyproject.toml", "constraints.txt"):
        with (house.root / name).open("a") as file:
            file.write("# changed\n")
        assert house.build().returncode == 0
        assert house.calls() == ["install"]


def test_an_update_that_failed_or_was_killed_removes_nobodys_environment(house):
    for death in ("FAKE_DIE_AT", "FAKE_KILL_AT"):
        house.build()
        for ours in (house.root / ".venv").glob(".textedit-bench-*"):
            ours.unlink()
        (house.root / ".venv/theirs").touch()
        assert house.build(**{death: "install"}).returncode != 0
        house.calls()
        assert house.build().returncode == 0
        assert house.calls() == ["install"]
        assert (house.root / ".venv/theirs").exists()


def test_an_update_of_our_own_that_was_killed_is_built_anew(house):
    house.build()
    with (house.root / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    assert house.build(FAKE_KILL_AT="install").returncode != 0
    house.calls()
    assert house.build().returncode == 0
    assert house.calls() == ["venv", "uv", "install"]


def test_somebody_elses_broken_environment_is_left_alone(house):
    house.build()
    house.calls()
    for gone in (".textedit-bench-complete", ".textedit-bench-created", "bin/python"):
        (house.root / ".venv" / gone).unlink()
    refused = house.build()
    assert refused.returncode == 2
    assert "was not made by this command" in refused.stderr
    assert (house.root / ".venv/pyvenv.cfg").exists()
    assert house.calls() == []


def test_a_lost_interpreter_or_command_is_repaired(house):
    house.build()
    house.calls()
    (house.root / ".venv/bin/textedit-bench").unlink()
    assert house.build().returncode == 0
    assert house.calls() == ["install"]
    (house.root / ".venv/bin/python").unlink()
    assert house.build().returncode == 0
    assert house.calls() == ["venv", "uv", "install"]


def test_a_moved_checkout_gets_its_commands_rewritten(house):
    house.build()
    house.calls()
    moved = house.root.with_name("moved")
    house.root.rename(moved)
    house.root.mkdir()
    assert house.run(str(moved / "tools/venv.sh")).returncode == 0
    assert house.calls() == ["install"]


def test_somebody_elses_environment_is_completed_not_removed(house):
    house.build()
    house.calls()
    for ours in (house.root / ".venv").glob(".textedit-bench-*"):
        ours.unlink()
    (house.root / ".venv/theirs").touch()
    assert house.build().returncode == 0
    assert house.calls() == ["install"]
    assert (house.root / ".venv/theirs").exists()


def test_a_folder_that_is_no_environment_is_left_alone(house):
    (house.root / ".venv").mkdir()
    (house.root / ".venv/thesis.tex").touch()
    refused = house.build()
    assert refused.returncode == 2
    assert "is no virtual environment" in refused.stderr
    assert (house.root / ".venv/thesis.tex").exists()
    assert house.calls() == []


def test_an_old_python_is_named(house):
    refused = house.build(FAKE_VERSION="3.9")
    assert refused.returncode == 2
    assert "needs Python 3.11 or newer" in refused.stderr
    assert "python3 is Python 3.9" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (house.root / ".venv").exists()


def test_a_python_without_venv_is_named_with_the_package_to_install(house):
    refused = house.build(FAKE_NO_VENV="1", FAKE_VERSION="3.12")
    assert refused.returncode == 2
    assert "python3 lacks venv or ensurepip" in refused.stderr
    assert "apt install python3.12-venv" in refused.stderr


def test_no_python_at_all_is_said(house):
    (house.root.parent / "bin/python3").unlink()
    refused = house.build()
    assert refused.returncode == 2
    assert "none was found" in refused.stderr


def test_a_second_python_that_is_new_enough_is_found(house):
    tools = house.root.parent / "bin"
    newer = (tools / "python3").read_text()
    (tools / "python3.12").write_text(newer.replace("FAKE_VERSION:-3.11", "NOTHING:-3.12"))
    (tools / "python3.12").chmod(0o755)
    built = house.build(FAKE_VERSION="3.9")
    assert built.returncode == 0
    assert "with python3.12" in built.stdout


def test_a_named_python_is_the_only_one_tried(house):
    refused = house.build(PYTHON="/nowhere/python")
    assert refused.returncode == 2
    assert "PYTHON=" in refused.stderr
