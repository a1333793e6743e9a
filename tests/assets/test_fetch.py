"""Files over a real connection: what arrives, what is kept of what was cut, and what every failure says."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pytest

from textedit_bench.assets.check import WrongFileError
from textedit_bench.assets.fetch import Fetched, fetch, verify
from textedit_bench.assets.manifest import get_asset
from textedit_bench.assets.transfer import BLOCK, TransferError
from textedit_bench.cli.main import main
from textedit_bench.errors import UserError

pytestmark = pytest.mark.usefixtures("home")


def _left(asset):
    """Names beside the asset's file, the lock apart."""
    return sorted(path.name for path in asset.path.parent.iterdir() if not path.name.endswith(".lock"))


def test_a_file_arrives_whole_and_is_not_fetched_again(server, make_asset):
    asset, told = make_asset("file"), []
    assert fetch(asset, progress=lambda have, total: told.append((have, total))) == Fetched.FETCHED
    assert asset.path.read_bytes() == server.content
    assert told[-1] == (len(server.content), len(server.content))
    assert fetch(asset) == Fetched.PRESENT
    assert len(server.requests) == 1
    assert _left(asset) == ["fetched.json", "thing.bin"]


@pytest.mark.parametrize("sha256", [None, hashlib.sha256(bytes(range(256)) * 2000).hexdigest()])
def test_a_cut_download_goes_on_where_it_was(server, make_asset, sha256):
    asset = make_asset("cut", sha256=sha256)
    fetch(asset)
    assert asset.path.read_bytes() == server.content
    kept = len(server.content) // 2 // BLOCK * BLOCK  # whole blocks of the half that came
    assert server.requests == [("cut", ""), ("cut", f"bytes={kept}-")]


def test_what_arrived_is_kept_for_the_next_command(server, make_asset):
    with pytest.raises(TransferError, match=rf"lost 4 times .*{4 * BLOCK} bytes are kept: run the same command again"):
        fetch(make_asset("always-cut"))
    asset = make_asset("file")
    assert _left(asset) == ["thing.bin.part", "thing.bin.part.version"]
    fetch(asset)
    assert server.requests[-1] == ("file", f"bytes={4 * BLOCK}-")
    assert asset.path.read_bytes() == server.content
    assert _left(asset) == ["fetched.json", "thing.bin"]


def test_a_server_that_ignores_ranges_is_read_from_the_start(server, make_asset):
    with pytest.raises(TransferError):
        fetch(make_asset("always-cut"))
    fetch(make_asset("no-range"))
    assert make_asset("file").path.read_bytes() == server.content


def test_the_rest_of_another_version_is_never_added(server, make_asset):
    asset = make_asset("always-cut", sha256=None, bytes=None)
    with pytest.raises(TransferError):
        fetch(asset)
    server.content, server.tag = b"new" * 9000, '"version-2"'
    asset = make_asset("file", sha256=None, bytes=None)
    fetch(asset)
    assert asset.path.read_bytes() == b"new" * 9000


def test_a_complete_partial_file_is_recognised(server, make_asset):
    asset = make_asset("file")
    asset.path.parent.mkdir(parents=True)
    asset.path.with_name("thing.bin.part").write_bytes(server.content)
    fetch(asset)
    assert asset.path.read_bytes() == server.content


def test_a_wrong_checksum_leaves_nothing_behind(make_asset):
    asset = make_asset("file", sha256="0" * 64)
    with pytest.raises(WrongFileError, match=f"wrong checksum: sha256 is not {'0' * 64}"):
        fetch(asset)
    assert _left(asset) == []


def test_other_checksums_are_compared_too(server, make_asset):
    md5 = hashlib.md5(server.content).hexdigest()
    blob = hashlib.sha1(b"blob %d\0" % len(server.content) + server.content).hexdigest()
    fetch(make_asset("file", sha256=None, md5=md5[:8], git_blob=blob))
    for wrong in ({"md5": "0" * 8}, {"git_blob": "0" * 40}):
        asset = make_asset("file", id="other", sha256=None, **wrong)
        with pytest.raises(WrongFileError, match="wrong checksum"):
            fetch(asset)
        assert not asset.path.exists()


def test_a_wrong_size_is_seen_before_anything_is_loaded(server, make_asset):
    asset = make_asset("file", bytes=17)
    with pytest.raises(WrongFileError, match=f"offers {len(server.content)} bytes instead of 17"):
        fetch(asset)
    assert _left(asset) == []


def test_a_missing_file_is_not_asked_for_twice(server, make_asset):
    with pytest.raises(TransferError, match="the server answered 404"):
        fetch(make_asset("missing"))
    assert len(server.requests) == 1


def test_a_busy_server_is_asked_again(server, make_asset):
    assert fetch(make_asset("busy")) == Fetched.FETCHED
    assert len(server.requests) == 3


def test_no_server_at_all_is_told(make_asset):
    asset = make_asset("file", url="http://127.0.0.1:1/thing")
    with pytest.raises(TransferError, match="cannot be reached"):
        fetch(asset)


@pytest.mark.parametrize("path", ["page", "disguised"])
def test_a_web_page_instead_of_the_file_is_refused(make_asset, path):
    asset = make_asset(path, bytes=None, sha256=None)
    with pytest.raises(WrongFileError, match="got a web page instead of the file"):
        fetch(asset)
    assert _left(asset) == []


def test_a_full_disk_is_told_and_what_arrived_is_kept(server, make_asset):
    asset, soft = make_asset("file", bytes=None), 100_000
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, before[1]))
    try:
        with pytest.raises(TransferError, match=r"the disk is full .*free space and run again"):
            fetch(asset)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert asset.path.with_name("thing.bin.part").stat().st_size <= soft
    fetch(asset)
    assert asset.path.read_bytes() == server.content
    assert server.requests[-1][1] != ""  # it went on


@pytest.mark.skipif(os.geteuid() != 0 and not os.environ.get("CI"), reason="mounting a small disk takes root")
def test_a_disk_that_really_is_full(make_asset, home):
    home.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(home)], capture_output=True)
    if mounted.returncode and not os.environ.get("CI"):  # there nothing may be left out
        pytest.skip("this machine does not let root mount a tmpfs")
    assert not mounted.returncode, mounted.stderr
    try:
        with pytest.raises(TransferError, match="the disk is full"):
            fetch(make_asset("file", bytes=None))
        with pytest.raises(TransferError, match=r"needs 0\.00 GB, the disk has 0\.00 GB left"):
            fetch(make_asset("file", id="other"))
    finally:
        subprocess.run(["umount", str(home)], check=True)


def test_two_processes_fetch_one_asset_once(server, make_asset):
    asset = make_asset("slow")
    code = """
import sys
from textedit_bench.assets.manifest import Asset
from textedit_bench.assets.fetch import fetch
print(fetch(Asset.model_validate_json(sys.argv[1])))
"""
    command = [sys.executable, "-P", "-c", code, asset.model_dump_json()]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate()[0].strip() for process in running) == ["already there", "fetched"]
    assert asset.path.read_bytes() == server.content
    assert len(server.requests) == 1


def test_a_machine_without_internet_copies_from_a_folder(server, make_asset, tmp_path):
    asset, disk = make_asset("file"), tmp_path / "disk"
    (disk / "thing").mkdir(parents=True)
    (disk / "thing" / "thing.bin").write_bytes(server.content)
    assert fetch(asset, source=disk) == Fetched.COPIED
    assert asset.path.read_bytes() == server.content
    assert server.requests == []
    with pytest.raises(UserError, match=r"holds no x/x\.bin, nor x\.bin"):
        fetch(make_asset("file", id="x", file="x.bin"), source=disk)


def test_a_file_name_of_several_assets_is_copied_only_from_the_folder_of_its_id(tmp_path, capsys):
    church, cat = get_asset("sg2-church-bare"), get_asset("sg2-cat-bare")
    (tmp_path / church.file).write_bytes(b"PK\x03\x04 of a cat")
    with pytest.raises(UserError, match=r"may be that of sg2-cat-bare, .* valid: sg2-church-bare/netG\.pth"):
        fetch(church, source=tmp_path, accept_licence=True)
    assert not church.path.exists()
    assert main(["assets", "fetch", church.id, cat.id, "--accept-licence", "--from", str(tmp_path / church.file)]) == 2
    assert "netG.pth: is one file, but 2 assets are named; valid: a folder" in capsys.readouterr().err


def test_the_folder_of_the_id_comes_first(server, make_asset, tmp_path):
    (tmp_path / "thing.bin").write_bytes(b"of another")
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing" / "thing.bin").write_bytes(server.content)
    asset = make_asset("file", sha256=None, bytes=None)
    fetch(asset, source=tmp_path)
    assert asset.path.read_bytes() == server.content


def test_a_wrong_file_in_the_folder_is_refused(make_asset, tmp_path):
    (tmp_path / "thing.bin").write_bytes(b"something else")
    asset = make_asset("file")
    with pytest.raises(WrongFileError, match="14 bytes instead of"):
        fetch(asset, source=tmp_path)
    assert not asset.path.exists()


def test_a_restricting_licence_is_accepted_once(server, make_asset):
    asset = make_asset("file", licence="NC-1", non_commercial=True)
    with pytest.raises(UserError, match=r"for non-commercial use only \(licence: NC-1\).*--accept-licence"):
        fetch(asset)
    assert server.requests == []
    fetch(asset, accept_licence=True)
    fetch(make_asset("file", id="same", licence="NC-1", non_commercial=True))
    with pytest.raises(UserError, match="licence: NC-2"):
        fetch(make_asset("file", id="other", licence="NC-2", non_commercial=True))


def test_a_file_that_changed_since_it_came_is_found(make_asset):
    asset = make_asset("file", sha256=None, bytes=None)
    fetch(asset)
    assert verify(asset) == hashlib.sha256(asset.path.read_bytes()).hexdigest()
    asset.path.write_bytes(b"changed")
    with pytest.raises(WrongFileError, match=r"it was .* when the file was accepted"):
        verify(asset)


def _zipped(path, names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return path


def test_an_archive_is_unpacked_without_its_outer_folder(make_asset, tmp_path, home):
    file = _zipped(tmp_path / "thing.bin", ["cat/data.mdb", "cat/lock.mdb"])
    asset = make_asset("file", bytes=None, sha256=None, unpack="lsun/cat_lmdb")
    fetch(asset, source=file)
    assert (home / "data" / "lsun" / "cat_lmdb" / "data.mdb").is_file()
    shutil.rmtree(asset.path.parent)
    assert asset.present  # the archive may go once it is unpacked


def _spoilt(kind, content):
    """A zip of one file, spoilt where it says: in its two headers, or in what is packed."""
    local, central = content.index(b"PK\x03\x04"), content.index(b"PK\x01\x02")
    data = bytearray(content)
    if kind == "encrypted":
        data[local + 6] |= 1
        data[central + 8] |= 1
    elif kind == "method 99":
        data[local + 8 : local + 10] = data[central + 10 : central + 12] = (99).to_bytes(2, "little")
    elif kind == "packed bytes":
        data[local + 31 : local + 36] = b"\xff" * 5
    else:
        del data[central:]
    return bytes(data)


@pytest.mark.parametrize("kind", ["encrypted", "method 99", "packed bytes", "cut"])
def test_an_archive_that_cannot_be_unpacked_makes_way_for_another(make_asset, tmp_path, home, kind):
    file = tmp_path / "thing.bin"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(range(256)) * 8)
    whole = file.read_bytes()
    file.write_bytes(_spoilt(kind, whole))
    asset = make_asset("file", bytes=None, sha256=None, unpack="x")
    with pytest.raises(WrongFileError, match=r"not a zip, or one that cannot be unpacked.*the archive was removed"):
        fetch(asset, source=file)
    assert _left(asset) == [] and list((home / "data").iterdir()) == []
    file.write_bytes(whole)
    assert fetch(asset, source=file) == Fetched.COPIED and asset.is_unpacked


def test_what_an_archive_unpacks_to_is_counted_before(make_asset, tmp_path, home, monkeypatch):
    file = _zipped(tmp_path / "thing.bin", ["a", "b"])
    asset = make_asset("file", bytes=None, sha256=None, unpack="x")
    monkeypatch.setattr("textedit_bench.assets.transfer.shutil.disk_usage", lambda _: SimpleNamespace(free=1))
    with pytest.raises(TransferError, match=r"data/x: needs 0\.00 GB, the disk has 0\.00 GB left"):
        fetch(asset, source=file)
    assert asset.path.is_file() and list((home / "data").iterdir()) == []  # a sound archive stays


def test_an_archive_that_would_write_elsewhere_is_refused(make_asset, tmp_path, home):
    file = _zipped(tmp_path / "thing.bin", ["../outside"])
    with pytest.raises(WrongFileError, match="outside its folder"):
        fetch(make_asset("file", bytes=None, sha256=None, unpack="x"), source=file)
    assert not (home / "data" / "x").exists()
    assert not (home / "data" / "outside").exists()
