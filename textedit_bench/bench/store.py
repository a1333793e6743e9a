"""Store results in folders, written stage by stage, trusted only if checksums match, and tuned settings beside them.

A folder is named after the digest of its identity and holds ``manifest.json``, which is written last. Each stage
(``infer``, ``score``) lists its files with their SHA-256 there; a stage that is not in the manifest did not happen.
"""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from textedit_bench.bench.cell import MANIFEST, SCHEMA, Cell, Manifest, Stage, digest_of, load_manifest, read_scored
from textedit_bench.errors import UserError
from textedit_bench.files import locked, sha256, write_atomically, write_json

FAILURE = "failure.json"
SET_ASIDE = ".corrupt-"
STAGES = ("infer", "score")
_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")

log = logging.getLogger(__name__)
Writer = Callable[[Path], object]


class ResultFolder:
    """The stored results of one identity.

    Args:
        parent: the folder that contains it.
        identity: plain JSON value; its digest is the folder's name.
    """

    def __init__(self, parent: Path, identity: Mapping[str, Any]) -> None:
        self.identity = dict(identity)
        self.digest = digest_of(identity)
        self.path = parent / self.digest

    def file(self, name: str) -> Path:
        """Return the path of one of its files."""
        return self.path / name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder for this process; others wait. The lock is released when its holder dies.

        Creates the folder and removes leftovers of killed writers.
        """
        with locked(self.path):
            yield

    def manifest(self) -> Manifest | None:
        """Return the trusted part of the manifest, or None.

        If the manifest or the edits are damaged, everything is set aside (renamed, nothing deleted); if only
        scores are damaged, their files are set aside and the result has no stage ``score``.
        """
        trusted = self._trusted()
        return None if trusted is None else trusted[1]

    def _trusted(self) -> tuple[dict[str, Any], Manifest] | None:
        if not self.file(MANIFEST).exists():
            return None
        try:
            raw, manifest = load_manifest(self.path)
            if digest_of(raw["identity"]) != self.digest:
                raise ValueError("it describes something else")
        except (OSError, ValueError) as error:
            self._set_aside(f"unreadable {MANIFEST} ({_first_line(error)})")
            return None
        if broken := self._damage(manifest.infer):
            self._set_aside(f"damaged {', '.join(broken)}")
            return None
        if broken := self._damage(manifest.score):
            for name in broken:
                if self.file(name).exists():
                    self.file(name).rename(_free_name(self.file(name)))
            log.warning("%s: damaged %s set aside; it is scored again", self.path, ", ".join(broken))
            del raw["score"]
            manifest = manifest.model_copy(update={"score": None})
        return raw, manifest

    def publish(self, stage: str, files: Mapping[str, Writer], facts: Mapping[str, Any], **sections: Any) -> None:
        """Write a stage's files, then the manifest with their checksums.

        Args:
            stage: ``"infer"`` starts a new manifest; ``"score"`` keeps the edits' section.
            files: name -> function that writes the file at the path it is given.
            facts: further entries of the stage; plain JSON values.
            sections: further top-level entries of the manifest.
        """
        manifest: dict[str, Any] = {"schema": SCHEMA, "identity": self.identity, "digest": self.digest}
        if stage != STAGES[0]:
            trusted = self._trusted()
            if trusted is None:
                raise RuntimeError(f"{self.path}: there is nothing to {stage}; its edits are gone")
            manifest = trusted[0]
        listed = {}
        for name, write in files.items():
            write_atomically(self.file(name), write, durable=False)  # the manifest holds its checksum
            listed[name] = {"sha256": sha256(self.file(name)), "bytes": self.file(name).stat().st_size}
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        manifest |= {stage: {**facts, "files": listed, "finished": finished}, **sections}
        write_json(self.file(MANIFEST), manifest)
        self.file(FAILURE).unlink(missing_ok=True)

    def update(self, **sections: Any) -> None:
        """Change sections of the manifest that do not describe files."""
        manifest, _ = load_manifest(self.path)
        if any(manifest.get(name) != value for name, value in sections.items()):
            write_json(self.file(MANIFEST), {**manifest, **sections})

    def fail(self, failure: Mapping[str, Any]) -> Path:
        """Store an error; the next success removes it."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_json(self.file(FAILURE), failure)
        return self.file(FAILURE)

    def _damage(self, stage: Stage | None) -> list[str]:
        """List files that are missing or do not match their checksum."""
        files = stage.files if stage is not None else {}
        return [
            name
            for name, known in files.items()
            if not self.file(name).is_file() or sha256(self.file(name)) != known.sha256
        ]

    def _set_aside(self, why: str) -> None:
        target = _free_name(self.path)
        target.mkdir()
        # The manifest is removed first: without it the other files are ignored. The folder stays, since it is locked.
        for file in sorted(self.path.iterdir(), key=lambda file: file.name != MANIFEST):
            file.rename(target / file.name)
        log.warning("%s: %s; set aside as %s and computed again", self.path, why, target.name)


class Store:
    """The results folder: ``<root>/<tier>/<dataset>/<method>/<digest>/``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def check_writable(self) -> None:
        """Check before any work that results can be written.

        Raises:
            UserError: the folder cannot be created or written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            write_atomically(self.root / ".writable", lambda path: path.write_bytes(b""))
            (self.root / ".writable").unlink(missing_ok=True)  # another run may be doing the same
        except OSError as error:
            raise UserError(f"results: {self.root} cannot be written ({error.strerror or error})") from error

    def cell(self, cell: Cell) -> ResultFolder:
        """Return the folder of a cell."""
        return ResultFolder(self.method(cell.tier, cell.dataset, cell.method), cell.identity())

    def method(self, tier: str, dataset: str, method: str) -> Path:
        """Return the folder of a method's cells on a data set."""
        for what, name in (("tier", tier), ("data set", dataset), ("method", method)):
            if not _NAME.match(name):
                raise UserError(f"{what} {name!r} cannot name a folder; valid: letters, digits, '.', '_' and '-'")
        return self.root / tier / dataset / method

    def inputs(self, tier: str, dataset: str, identity: Mapping[str, Any]) -> ResultFolder:
        """Return the folder of photos and inversions that a data set's cells share."""
        return ResultFolder(self.method(tier, dataset, "_inputs"), identity)

    def manifests(self, tier: str) -> Iterator[tuple[Path, Manifest]]:
        """Yield folder and manifest of every readable, scored cell of a tier; checksums are not verified."""
        for path in self._cells(tier):
            if SET_ASIDE not in path.name and (manifest := read_scored(path)) is not None:
                yield path, manifest

    def count(self, tier: str, dataset: str) -> int:
        """Count the folders of a data set that may be cells."""
        return len(self._cells(tier, dataset))

    def _cells(self, tier: str, dataset: str = "*") -> list[Path]:
        """List the folders of a tier, or of one data set, that may be cells."""
        found = sorted(path.parent for path in (self.root / tier).glob(f"{dataset}/*/*/{MANIFEST}"))
        return [path for path in found if not path.parent.name.startswith("_")]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _free_name(path: Path) -> Path:
    number = 1
    while (target := path.with_name(f"{path.name}{SET_ASIDE}{number}")).exists():
        number += 1
    return target


TUNED_FILE = "tuned.json"
TUNED_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """The result of a tuning, with its inputs.

    Attributes:
        method, dataset, tier: where the settings apply.
        settings: the chosen settings, instead of the card's.
        strength: the chosen strength.
        objective: what was maximised, such as ``mean of success and preservation``.
        score: its value for the choice, on the development split.
        images: digest of the development images.
        prompts: ids of the development prompts.
        tried: every candidate with its strength, effect, kept and score.
    """

    method: str
    dataset: str
    tier: str
    settings: dict[str, Any]
    strength: float
    objective: str
    score: float
    images: str
    prompts: tuple[str, ...]
    tried: tuple[dict[str, Any], ...] = field(default=())


def write_tuned(store: Store, tuned: Tuned) -> Path:
    """Store tuned settings for `read_tuned`."""
    folder = store.method(tuned.tier, tuned.dataset, tuned.method)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / TUNED_FILE, {"schema": TUNED_SCHEMA, **asdict(tuned)})
    return folder / TUNED_FILE


def read_tuned(store: Store, tier: str, dataset: str, method: str) -> Tuned:
    """Read the tuned settings of a method on a data set.

    Raises:
        UserError: there are none, or the file is damaged.
    """
    path = store.method(tier, dataset, method) / TUNED_FILE
    command = f"textedit-bench tune --method {method} --dataset {dataset}"
    if not path.is_file():
        raise UserError(f"tuned: {method} was not tuned on {dataset}, tier {tier} (expected {path}); run: {command}")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data.pop("schema") != TUNED_SCHEMA:
            raise ValueError("it was written by another version")
        tuned = Tuned(**{**data, "prompts": tuple(data["prompts"]), "tried": tuple(data["tried"])})
        if not (isinstance(tuned.settings, dict) and math.isfinite(tuned.strength)):
            raise ValueError("settings or strength are invalid")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"tuned: {path} cannot be read ({error}); run: {command}") from error
    return tuned
