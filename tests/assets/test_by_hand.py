"""Files that a user put in place without the command: checked like any other, and never removed."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil

import pytest

from textedit_bench.assets.accepted import is_checked, remembered
from textedit_bench.assets.check import WrongFileError
from textedit_bench.assets.fetch import Fetched, fetch, verify
from textedit_bench.assets.manifest import get_asset
from textedit_bench.cli.main import main
from textedit_bench.data.card import read_card
from textedit_bench.errors import UserError
from textedit_bench.registry import resolve_tier

pytestmark = pytest.mark.usefixtures("home")
PAGE = b"<!DOCTYPE html><html>Quota exceeded</html>"


def _put(asset, content):
    asset.path.parent.mkdir(parents=True, exist_ok=True)
    asset.path.write_bytes(content)
    return asset


@pytest.mark.parametrize(
    ("id_", "content", "reason"),
    [
        ("clip-b32", b"abc", "3 bytes instead of 353976522"),
        ("clip-l14-datacomp", PAGE, "got a web page instead of the file"),
        ("clip-l14-datacomp", b"abc", "not a PyTorch file, by its first bytes"),
        ("facenet-casia", b"PK\x03\x04", "4 bytes instead of about 111000000"),
        ("dinov2-b14", b"", "the file is empty"),
    ],
)
def test_junk_is_refused_with_its_reason_and_left_to_its_owner(id_, content, reason):
    asset = _put(get_asset(id_), content)
    for _ in range(2):
        with pytest.raises(WrongFileError, match=rf"{reason}.*{asset.path} was put there by hand or changed: remove"):
            fetch(asset)
    assert asset.path.read_bytes() == content and not is_checked(asset)


def test_the_right_file_is_looked_at_once_and_again_when_it_changed(server, make_asset):
    asset = _put(make_asset("file", sha256=None, bytes=None), server.content)
    assert asset.present and not is_checked(asset)
    assert fetch(asset) == Fetched.PRESENT and is_checked(asset)
    assert remembered(asset) == hashlib.sha256(server.content).hexdigest()
    asset.path.write_bytes(b"changed")
    assert not is_checked(asset)
    with pytest.raises(WrongFileError, match=r"it was .* when the file was accepted"):
        fetch(asset)
    assert server.requests == []


def test_an_empty_folder_is_no_data_set_and_one_of_empty_files_is_wrong(home):
    asset = get_asset("ffhq-images")
    (asset.unpacked / "00000").mkdir(parents=True)
    (asset.unpacked / "00000" / "00000.png").touch()
    with pytest.raises(WrongFileError, match="holds no file with content"):
        fetch(asset, accept_licence=True)
    shutil.rmtree(asset.unpacked / "00000")
    assert asset.unpacked.is_dir() and not asset.present
    with pytest.raises(UserError, match="cannot be fetched by a command"):
        fetch(asset)


def test_an_unpacked_folder_is_verified_without_its_archive(capsys):
    asset = get_asset("lsun-church-val")
    asset.unpacked.mkdir(parents=True)
    (asset.unpacked / "data.mdb").write_bytes(b"x")
    assert not is_checked(asset)
    assert main(["assets", "verify"]) == 0
    assert "lsun-church-val: right (unpacked; its archive" in capsys.readouterr().out
    assert is_checked(asset) and verify(asset) is None
    main(["assets", "list", "--json"])
    listed = {row["id"]: row for row in json.loads(capsys.readouterr().out)["assets"]}
    assert listed[asset.id]["checked"] and not listed["lsun-cat"]["checked"]


def test_the_list_tells_what_nobody_has_looked_at(capsys):
    _put(get_asset("clip-b32"), b"abc")
    main(["assets", "list"])
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("clip-b32 "))
    assert "not checked" in line


def test_auto_never_takes_the_full_tier_on_junk(tmp_path, caplog):
    _put(get_asset("clip-b32"), b"abc")
    card = tmp_path / "own.yaml"
    roles = {r: f"{r}.bin" for r in ("generator", "judge_clip", "judge_identity", "perceptual", "features")}
    for name in roles.values():
        (tmp_path / name).write_bytes(b"any")
    (tmp_path / "pictures").mkdir()
    tier = "{resolution: 8, networks: %s, splits: {evaluation: 2}, prompts: [{id: old, target: old}], source: %s}"
    full = tier % (json.dumps({**roles, "clip": "clip-b32"}), "{kind: folder, path: pictures}")
    mini = tier % ("{generator: generator.bin}", "{kind: samples}")
    card.write_text(f"{{name: own, title: T, kind: object, neutral: a thing, tiers: {{full: {full}, mini: {mini}}}}}")
    with caplog.at_level(logging.INFO, "textedit_bench"):
        assert resolve_tier(read_card(card), "auto") == "mini"
    assert "wrong clip (" in caplog.text and "3 bytes instead of 353976522" in caplog.text
    assert (
        resolve_tier(read_card(card), "full") == "full"
    )  # who asks for it gets it: rehearsals have files of their own
