"""``assets add``: all or nothing, and never another file than the one that was given."""

from __future__ import annotations

import pytest

from textedit_bench.assets.manifest import get_asset, list_assets
from textedit_bench.cli.main import main

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def add(tmp_path, capsys):
    """add(id, content, *options, name=...) -> exit code, what was said."""

    def go(id_, content, *options, name="net.bin"):
        (tmp_path / name).write_bytes(content)
        code = main(["assets", "add", id_, str(tmp_path / name), *options])
        ended = capsys.readouterr()
        return code, ended.out + ended.err

    return go


def test_a_file_that_cannot_be_copied_is_not_on_the_list(add, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("textedit_bench.assets.fetch.shutil.copyfile", full)
        code, said = add("mine", b"weights", "--licence", "MIT")
    assert code == 1 and "No space left on device" in said
    assert "mine" not in list_assets()
    assert add("mine", b"weights", "--licence", "MIT")[0] == 0
    assert get_asset("mine").path.read_bytes() == b"weights"


def test_another_file_is_never_ignored(add):
    add("mine", b"weights", "--licence", "MIT")
    assert add("mine", b"weights")[0] == 0
    code, said = add("mine", b"better weights")
    place = get_asset("mine").path
    assert code == 2 and f"net.bin: another file is there already; remove {place} first" in said
    assert place.read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("id_", "name", "said"),
    [
        ("mine", "my net.bin", "asset 'mine': file 'my net.bin' is not valid; valid: a name of letters, digits"),
        ("My Net", "net.bin", "asset 'My Net': id 'My Net' is not valid; valid: lower-case letters, digits"),
    ],
)
def test_a_name_that_cannot_be_used_is_told_in_words(add, id_, name, said):
    code, answer = add(id_, b"weights", "--licence", "MIT", name=name)
    assert code == 2 and said in answer and "pattern" not in answer
