"""The environment builder: built when missing, reused when complete, repaired when half-finished."""

from __future__ import annotations

import os
import shutil


def test_a_missing_environment_is_built_and_then_reused(house):
    assert house.build().returncode == 0
    assert house.calls() == ["venv", "pip"]
    again = house.build()
    assert (again.returncode, again.stdout) == (0, "")
    assert house.calls() == []


def test_one_killed_while_it_was_created_is_built_anew(house):
    for place in ("venv", "pip"):
        assert house.build(FAKE_DIE_AT=place).returncode != 0
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


def test_one_that_is_being_built_is_left_to_its_builder(house):
    house.build(FAKE_DIE_AT="pip")
    marker = house.root / ".venv/.textedit-bench-building"
    assert marker.read_text().strip().isdecimal()
    marker.write_text(f"{os.getpid()}\n")
    house.calls()
    refused = house.build()
    assert refused.returncode == 2
    assert f"being built by process {os.getpid()}" in refused.stderr
    assert house.calls() == []
    assert marker.exists()


def test_changed_requirements_update_in_place(house):
    house.build()
    house.calls()
    for name in ("pyproject.toml", "constraints.txt"):
        with (house.root / name).open("a") as file:
            file.write("# changed\n")
        assert house.build().returncode == 0
        assert house.calls() == ["pip"]


def test_an_update_that_was_killed_is_built_anew(house):
    house.build()
    with (house.root / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    assert house.build(FAKE_DIE_AT="pip").returncode == 2
    house.calls()
    assert house.build().returncode == 0
    assert house.calls() == ["venv", "pip"]


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
    (house.root / ".venv/.textedit-bench-complete").unlink()
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
