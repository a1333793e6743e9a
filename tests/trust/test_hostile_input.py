"""Every way a file or a text can enter, tried with hostile input: a clear line and exit code 2, or a safe result.

One row per way. Whatever happens, no payload runs and nothing appears outside the results folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from textedit_bench.cli.main import main

from . import hostile
from .conftest import METHOD

REFUSED, SAFE = 2, 0


@dataclass(frozen=True)
class Place:
    """Where a row may work: ``at`` for hostile files, ``results``; ``marker`` must never come to be."""

    at: Path
    results: Path
    marker: Path
    card: Path

    def bench(self, *words: str, card: str | Path | None = None) -> list[str]:
        """A bench of two pictures."""
        few = ["--images", "2", "--strengths", "0,1", "--threads", "1", "--no-controls", "--tier", "mini"]
        given = [*few, *(["--prompts", "bright top"] if "--prompts" not in words else [])]
        if "--method" not in words:
            given += ["--method", METHOD]
        return ["bench", *given, "--dataset", str(card or self.card), "--results", str(self.results), *words]

    def edit(self, *words: str, photo: str | Path = "evaluation-00000", card: Path | None = None) -> list[str]:
        """An edit of one photo."""
        given = ["--method", METHOD, "--dataset", str(card or self.card), "--tier", "mini"]
        prompt = [] if "--" in words else ["bright top"]
        return ["edit", str(photo), *prompt, *given, "--output", str(self.results / "edit.png"), *words]

    def rerun(self, manifest: Path) -> list[str]:
        """A run done again."""
        return ["bench", "--from-manifest", str(manifest), "--results", str(self.results)]

    def changed(self, **changes) -> Path:
        """The data set's card with other fields."""
        return hostile.card(self.card, self.at / "changed.yaml", **changes)


Row = tuple[str, Callable[[Place], list[str]], int, str]


def _text(place: Place, name: str, content: str | bytes) -> Path:
    path = place.at / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _network(place: Place, role: str, file: Path) -> list[str]:
    import yaml

    networks = yaml.safe_load(place.card.read_text())["tiers"]["mini"]["networks"]
    return place.edit(card=place.changed(tier__networks={**networks, role: str(file)}))


def _picture(place: Place) -> str:
    Image.new("RGB", (32, 32)).save(place.at / "photo.png")
    return str(place.at / "photo.png")


ROWS: list[Row] = [
    # checkpoints
    (
        "generator that is a pickle",
        lambda p: _network(p, "generator", hostile.pickle_file(p.at / "g.pt", p.marker)),
        2,
        "g.pt",
    ),
    (
        "generator in torch's format",
        lambda p: _network(p, "generator", hostile.torch_file(p.at / "g.pt", p.marker)),
        2,
        "g.pt",
    ),
    (
        "TensorFlow pickle",
        lambda p: _network(p, "generator", hostile.pickle_file(p.at / "g.pkl", p.marker)),
        2,
        "g.pkl",
    ),
    ("CLIP that is a pickle", lambda p: _network(p, "encoder", hostile.torch_file(p.at / "e.pt", p.marker)), 2, "e.pt"),
    (
        "safetensors with a header of 4 exabytes",
        lambda p: _network(p, "generator", hostile.huge_header(p.at / "g.safetensors")),
        2,
        "g.safetensors",
    ),
    (
        "checkpoint to convert",
        lambda p: [
            "assets",
            "convert",
            str(hostile.pickle_file(p.at / "c.pt", p.marker)),
            str(p.results / "c.safetensors"),
        ],
        2,
        "c.pt",
    ),
    (
        "edited weights file of a method",
        lambda p: p.edit("--weights", str(hostile.torch_file(p.at / "w.pt", p.marker))),
        2,
        "weights",
    ),
    # latents
    (
        "codes as .npy of objects",
        lambda p: p.bench("--source", str(hostile.object_array(p.at / "c.npy", p.marker))),
        2,
        "c.npy",
    ),
    (
        "codes as .pt with a payload",
        lambda p: p.bench("--source", str(hostile.torch_file(p.at / "c.pt", p.marker))),
        2,
        "c.pt",
    ),
    (
        "codes as .safetensors cut short",
        lambda p: p.bench("--source", str(_text(p, "c.safetensors", b"\xff" * 40))),
        2,
        "c.safetensors",
    ),
    (
        "statistics as .npz of objects",
        lambda p: [
            "score",
            "--source",
            str(p.at),
            "--edited",
            str(p.at),
            "--prompt",
            "bright top",
            "--dataset",
            str(p.card),
            "--reference",
            str(hostile.object_array(p.at / "s.npz", p.marker)),
        ],
        2,
        "s.npz",
    ),
    # photos
    ("zip whose names climb out", lambda p: p.bench("--source", str(hostile.slipping_zip(p.at / "s.zip"))), -1, ""),
    (
        "file that only calls itself a zip",
        lambda p: p.bench("--source", str(_text(p, "s.zip", b"PK\x05\x06" + b"\xff" * 50))),
        2,
        "s.zip",
    ),
    ("LMDB of random bytes", lambda p: _lmdb(p), 2, "lmdb"),
    (
        "folder of links to a secret",
        lambda p: p.bench("--source", str(hostile.linked_folder(p.at / "links", _text(p, "secret", "password")))),
        2,
        "can be used",
    ),
    (
        "decompression bomb",
        lambda p: p.edit(photo=_text(p, "bomb.png", hostile.png(60_000, 60_000, 10))),
        2,
        "bomb.png",
    ),
    (
        "picture that is a script",
        lambda p: p.edit(photo=_text(p, "photo.png", "#!/bin/sh\ntouch ran\n")),
        2,
        "photo.png",
    ),
    (
        "picture that is PostScript",
        lambda p: p.edit(photo=_text(p, "photo.png", "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")),
        2,
        "photo.png",
    ),
    ("picture cut short", lambda p: p.edit(photo=_text(p, "photo.png", hostile.png(64, 64)[:60])), 2, "photo.png"),
    # YAML
    (
        "YAML tag that calls a function",
        lambda p: p.bench(card=_text(p, "c.yaml", f"name: !!python/object/apply:os.system ['touch {p.marker}']\n")),
        2,
        "c.yaml",
    ),
    ("YAML that is nested 20,000 deep", lambda p: p.bench(card=_text(p, "c.yaml", "[" * 20_000)), 2, "c.yaml"),
    ("YAML of a billion laughs", lambda p: p.bench(card=_laughs(p)), 2, "aliases"),
    (
        "YAML of a billion laughs where any value may stand",
        lambda p: p.bench(card=_laughs(p, inside=True)),
        2,
        "aliases",
    ),
    ("YAML that holds itself", lambda p: p.bench(card=_text(p, "c.yaml", "name: &a [*a]\n")), 2, "aliases"),
    ("YAML of NUL bytes", lambda p: p.bench(card=_text(p, "c.yaml", b"\x00" * 100)), 2, "c.yaml"),
    # cards
    ("data set whose name climbs out", lambda p: p.bench(card=p.changed(name="../../escaped")), 2, "name"),
    ("data set named like a control sequence", lambda p: p.bench(card=p.changed(name="a\x1b[31mb")), 2, "name"),
    ("card whose world is a function", lambda p: p.bench(card=p.changed(tier__world="os:abort")), 2, "world"),
    (
        "card whose world is no module",
        lambda p: p.bench(card=p.changed(tier__world="no_such_module:World")),
        2,
        "world",
    ),
    ("card whose network is a device", lambda p: _network(p, "generator", Path("/dev/zero")), 2, "generator"),
    ("card of 4,000 millions of photos", lambda p: p.bench("--images", "4000000000"), 2, "images"),
    # names
    ("method whose name climbs out", lambda p: p.bench("--method", "../../escaped"), 2, "method"),
    ("method named like an import", lambda p: p.bench("--method", "os:system"), 2, "method"),
    ("data set that does not exist, with an escape code", lambda p: p.bench(card="\x1b[2J"), 2, "dataset"),
    ("results that are a file", lambda p: [*p.bench(), "--results", str(_text(p, "file", "x"))], 2, "results"),
    # texts
    ("prompt with terminal escape codes", lambda p: p.bench("--prompts", "red \x1b[2J hair"), 2, "printed"),
    ("prompt of 10,000 characters", lambda p: p.bench("--prompts", "x" * 10_000), 2, "characters"),
    ("prompt that turns the line round", lambda p: p.bench("--prompts", "red \u202e riah"), 2, "printed"),
    ("prompt of two lines", lambda p: p.bench("--prompts", "red\nhair"), 2, "printed"),
    ("prompt of HTML", lambda p: p.bench("--prompts", "<script>alert(1)</script><img src=x onerror=alert(1)>"), 0, ""),
    ("prompt of LaTeX", lambda p: p.bench("--prompts", "\\input{/etc/passwd} \\write18{touch ran}"), 0, ""),
    ("prompt of a spreadsheet formula", lambda p: p.bench("--prompts", "=HYPERLINK('http://x')"), 0, ""),
    ("prompt that climbs out", lambda p: p.bench("--prompts", "../../../escaped"), 0, ""),
    ("prompt of emoji", lambda p: p.bench("--prompts", "😀 hair 🎩"), 0, ""),
    ("prompt from right to left", lambda p: p.bench("--prompts", "שיער בלונדיני"), 0, ""),
    ("prompt like a shell", lambda p: p.bench("--prompts", "$(touch ran) `touch ran`"), 0, ""),
    # numbers
    ("strength below zero", lambda p: p.bench("--strengths", "-1,1"), 2, "strengths"),
    ("strength that is no number", lambda p: p.bench("--strengths", "nan,1"), 2, "strengths"),
    ("strength without end", lambda p: p.bench("--strengths", "1,inf"), 2, "strengths"),
    ("strength of an edit that is no number", lambda p: p.edit("--strength", "nan"), 2, "strength"),
    ("setting that is no number", lambda p: p.bench("--set", "size=NaN"), 2, "finite"),
    ("setting of the wrong kind", lambda p: p.bench("--set", 'size={"__reduce__": "os.system"}'), 2, "size"),
    ("shares of a GPU that are none", lambda p: p.bench("--engine", "ray", "--gpus", "nan"), 2, "gpus"),
    # manifests
    ("manifest whose tier climbs out", lambda p: p.rerun(hostile.manifest(p.at / "m.json", tier="../..")), 2, "tier"),
    (
        "manifest whose method climbs out",
        lambda p: p.rerun(hostile.manifest(p.at / "m.json", method="../x")),
        2,
        "method",
    ),
    (
        "manifest whose numbers are texts",
        lambda p: p.rerun(hostile.manifest(p.at / "m.json", strengths="0,1")),
        2,
        "m.json",
    ),
    ("manifest that is a list", lambda p: p.rerun(_text(p, "m.json", "[]")), 2, "m.json"),
    ("manifest nested 20,000 deep", lambda p: p.rerun(_text(p, "m.json", "[" * 20_000)), 2, "m.json"),
]


def _lmdb(place: Place) -> list[str]:
    (place.at / "lmdb").mkdir()
    (place.at / "lmdb" / "data.mdb").write_bytes(b"\xde\xad" * 4096)
    return place.bench("--source", str(place.at / "lmdb"))


def _laughs(place: Place, inside: bool = False) -> Path:
    """Nine to the twelfth values in a dozen lines; inside a good card where a field takes any value."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    if not inside:
        return _text(place, "laughs.yaml", "\n".join([*lines, "name: *a11", "kind: *a11", ""]))
    good = place.changed(tier__inversion={"steps": "LAUGH"}).read_text()
    nested = "&a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"
    for n in range(1, 12):
        nested = f"&a{n} [{nested}{f', *a{n - 1}' * 8}]"
    return _text(place, "laughs.yaml", good.replace("LAUGH", nested))


def _tree(root: Path, but: Path) -> dict[str, tuple[int, int]]:
    """Everything below a folder with sizes and times, one part left out."""
    found = {}
    for path in root.rglob("*"):
        if path != but and but not in path.parents and path.is_file():
            state = path.lstat()
            found[str(path)] = state.st_size, state.st_mtime_ns
    return found


@pytest.mark.parametrize(("name", "words", "code", "said"), ROWS, ids=[row[0] for row in ROWS])
def test_hostile_input_is_refused_in_one_line_or_does_no_harm(
    house, tmp_path, monkeypatch, capsys, name, words, code, said
):
    place = Place(tmp_path / "in", tmp_path / "results", tmp_path / "ran-by-the-payload", house.card)
    for folder in (place.at, place.results, tmp_path / "cwd"):
        folder.mkdir()
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path / "results" / "home"))
    given = words(place)
    before = _tree(tmp_path, place.results), _tree(house.card.parent, place.results)
    ended = main(given)
    out, err = capsys.readouterr()
    assert (_tree(tmp_path, place.results), _tree(house.card.parent, place.results)) == before
    assert not place.marker.exists()
    assert not Path("/tmp/escaped-absolute.png").exists()
    assert "\x1b" not in out + err
    assert "Traceback" not in err
    if code == REFUSED:
        assert ended == REFUSED, f"exit code {ended}\n{out}\n{err}"
        line = err.strip().splitlines()[-1]
        assert line.startswith("textedit-bench: ") and said in line, err
    elif code == SAFE:
        assert ended in (0, 1)  # 1 where a control refuses the toy's table; no cell may have failed
        assert "failed" not in out
        _harmless(place.results)
    else:
        assert ended in (0, 1, 2)


def _harmless(results: Path) -> None:
    """Nothing that was written runs where it is opened."""
    for page in results.rglob("*.html"):
        assert "<script>alert" not in page.read_text() and "<img src=x" not in page.read_text()
    for table in results.rglob("*.csv"):
        cells = re.split(r"[,\n]", table.read_text())
        assert not [cell for cell in cells if cell.strip('"').startswith(("=", "@", "+"))]
    for tex in results.rglob("*.tex"):
        assert "\\input{/etc" not in tex.read_text() and "\\write18" not in tex.read_text()
    names = [path.name for path in results.rglob("*")]
    assert all(re.fullmatch(r"[A-Za-z0-9_.+-]+", name) for name in names), names
