"""The environment builder: built when missing, reused when complete, repaired when half-finished."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib


def test_a_missing_environment_is_built_and_then_reused(house):
    assert house.build().returncode == 0
    assert house.calls() == ["venv", "pip"]
    again = house.build()
    assert (again.returncode, again.stdout) == (0, "")
    assert house.calls() == []


def test_one_killed_while_it_was_created_is_built_anew(house):
    for death in ({"FAKE_DIE_AT": "venv"}, {"FAKE_KILL_AT": "pip"}):
        assert house.build(**death).returncode != 0
        leftover = house.root / ".venv" / "leftover"
        leftover.touch()
        house.calls()

        repaired = house.build()
        assert repaired.returncode == 0
        assert "unfinished" in repaired.stdout
        assert house.calls() == ["venv", "pip"]
        assert not leftover.exists()
        shutil.rmtree(house.root / ".venv")


def test_a_failed_installation_says_so_and_is_not_taken_for_complete(house):
    failed = house.build(FAKE_DIE_AT="pip")
    assert failed.returncode == 2
    assert "could not be installed" in failed.stderr
    assert not (house.root / ".venv/.textedit-bench-complete").exists()


def test_a_failed_installation_is_continued_in_what_works(house):
    house.build(FAKE_DIE_AT="pip")
    (house.root / ".venv/mine").touch()
    house.calls()
    assert house.build().returncode == 0
    assert house.calls() == ["pip"]
    assert (house.root / ".venv/mine").exists()


def _killed_by(house, builder):
    """A house whose build was killed, with the number of another process in its marker."""
    house.build(FAKE_KILL_AT="pip")
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
    assert house.calls() == ["venv", "pip"]


def test_the_constraints_reach_the_isolated_build_and_pin_its_backend(house):
    house.build()
    assert house.log.with_name(f"{house.log.name}.constraints").read_text().split() == ["constraints.txt"] * 2
    requirements = tomllib.loads((house.root / "pyproject.toml").read_text())["build-system"]["requires"]
    pins = [line.partition("==")[0] for line in (house.root / "constraints.txt").read_text().splitlines()]
    assert {re.split("[<>=]", requirement)[0] for requirement in requirements} <= set(pins)


def test_changed_requirements_update_in_place(house):
    house.build()
    house.calls()
    for name in ("pyproject.toml", "constraints.txt"):
        with (house.root / name).open("a") as file:
            file.write("# changed\n")
        assert house.build().returncode == 0
        assert house.calls() == ["pip"]


def test_an_update_that_failed_or_was_killed_removes_nobodys_environment(house):
    for death in ("FAKE_DIE_AT", "FAKE_KILL_AT"):
        house.build()
        for ours in (house.root / ".venv").glob(".textedit-bench-*"):
            ours.unlink()
        (house.root / ".venv/theirs").touch()
        assert house.build(**{death: "pip"}).returncode != 0
        house.calls()
        assert house.build().returncode == 0
        assert house.calls() == ["pip"]
        assert (house.root / ".venv/theirs").exists()


def test_an_update_of_our_own_that_was_killed_is_built_anew(house):
    house.build()
    with (house.root / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    assert house.build(FAKE_KILL_AT="pip").returncode != 0
    house.calls()
    assert house.build().returncode == 0
    assert house.calls() == ["venv", "pip"]


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
    assert house.calls() == ["pip"]
    (house.root / ".venv/bin/python").unlink()
    assert house.build().returncode == 0
    assert house.calls() == ["venv", "pip"]


def test_a_moved_checkout_gets_its_commands_rewritten(house):
    house.build()
    house.calls()
    moved = house.root.with_name("moved")
    house.root.rename(moved)
    house.root.mkdir()
    assert house.run(str(moved / "tools/venv.sh")).returncode == 0
    assert house.calls() == ["pip"]


def test_somebody_elses_environment_is_completed_not_removed(house):
    house.build()
    house.calls()
    for ours in (house.root / ".venv").glob(".textedit-bench-*"):
        ours.unlink()
    (house.root / ".venv/theirs").touch()
    assert house.build().returncode == 0
    assert house.calls() == ["pip"]
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
