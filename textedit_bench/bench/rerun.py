"""Repeat a stored run from its ``manifest.json``, and report differences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from textedit_bench.bench.cell import SCHEMA, digest_of
from textedit_bench.bench.prompts import PlannedPrompt
from textedit_bench.bench.request import CENSUS, BenchRequest
from textedit_bench.bench.store import Store
from textedit_bench.controls.cards import copied
from textedit_bench.devices import HIGHEST
from textedit_bench.errors import UserError
from textedit_bench.prompt import ATTRIBUTE, LONGEST, Prompt, is_printable
from textedit_bench.registry import method_info

LARGEST = 1 << 24
"""Maximum bytes of a manifest; a real one has a few thousand."""

_Line = Annotated[str, Field(max_length=LONGEST)]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,199}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True)


class _Images(_Strict):
    split: str
    count: int
    pool: str = ""


class _Prompt(_Strict):
    target: _Line
    source: _Line | None = None
    phrase: _Line | None = None
    group: _Line | None = None
    attribute: Annotated[str, Field(pattern=ATTRIBUTE, max_length=LONGEST)] | None = None


class _Identity(_Strict):
    """The fields of a cell's identity that a rerun needs."""

    tier: str
    dataset: str
    method: str
    prompt_id: _Id
    prompt: _Prompt
    seed: int
    strengths: list[float]
    images: _Images
    settings: dict[str, Any]
    variant: str = ""
    precision: str = HIGHEST
    matched_to: str | None = None


@dataclass(frozen=True)
class Rerun:
    """The request of a manifest.

    Attributes:
        request: the bench that repeats the run; for a control that copies another method's cells, with that method.
        task: ``edit`` or ``generate``.
        identity: the run's.
        digest: its name in the store.
        files: stored file -> its SHA-256.
    """

    request: BenchRequest
    task: str
    identity: Mapping[str, Any]
    digest: str
    files: Mapping[str, str]


def read_rerun(path: Path, **options: Any) -> Rerun:
    """Reconstruct the request of a manifest.

    Args:
        path: a cell's ``manifest.json``.
        options: fields of `BenchRequest` that do not decide the outcome: results, device, engine, workers, gpus.

    Raises:
        UserError: the file is not the manifest of a cell, was modified, or is not sufficient for a rerun.
    """
    manifest = _read(path)
    try:
        identity = _Identity.model_validate(manifest["identity"])
        digest = digest_of(manifest["identity"])
        stages = [manifest[stage] for stage in ("infer", "score") if stage in manifest]
        files = {name: str(known["sha256"]) for stage in stages for name, known in stage["files"].items()}
        asked: dict[str, Any] = dict(manifest["infer"].get("request") or {})
        listing: dict[str, Any] = dict(manifest.get("listing") or {})
        threads = int(manifest["infer"].get("threads", BenchRequest.threads))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise UserError(f"manifest {path}: field identity.{field}: {first['msg']}") from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"manifest {path}: it is not from a cell ({type(error).__name__}: {error})") from error
    if digest != manifest.get("digest"):
        said = f"its digest is {manifest.get('digest')!r}, but its identity gives {digest}"
        raise UserError(f"manifest {path}: {said}: it was modified")
    if identity.variant:
        raise UserError(f"manifest {path}: a {identity.variant} run; repeat it with: textedit-bench bench --tuned")
    given = {"threads": threads, "precision": identity.precision, **options}
    given |= {name: str(asked.get(name) or "") for name in ("source", "keep_pictures")}
    chosen = _chosen(path, identity, asked, listing)
    images: int | None = identity.images.count
    if identity.images.pool:
        # The photos of a prompt follow from the world; there may be fewer than requested.
        images = asked.get("images")
        chosen |= {"protocol": CENSUS, "own_prompts": (), "prompts": _census_prompts(identity, asked)}
    request = BenchRequest(
        **chosen,
        tier=identity.tier,
        images=images,
        split="evaluation" if identity.images.split == "generated" else identity.images.split,
        seed=identity.seed,
        strengths=_strengths(identity, asked),
        command=f"textedit-bench bench --from-manifest {path}",
        **given,
    )
    _refuse_own_folder(path, request.results)
    task = "generate" if identity.images.split == "generated" else "edit"
    return Rerun(request, task, manifest["identity"], digest, files)


def differences(rerun: Rerun, store: Store) -> list[str]:
    """List the differences after the run; empty if every stored byte is the same."""
    found = {path.name: manifest for path, manifest in store.manifests(rerun.request.tier)}
    if rerun.digest in found:
        stages = [stage for stage in (found[rerun.digest].infer, found[rerun.digest].score) if stage is not None]
        now = {name: known.sha256 for stage in stages for name, known in stage.files.items()}
        same = ("cost.parquet",)  # seconds and memory always differ
        return [f"{name} differs" for name in rerun.files if name not in same and now.get(name) != rerun.files[name]]
    key = ("method", "prompt_id")
    near = [m.identity for m in found.values() if all(m.identity[k] == rerun.identity[k] for k in key)]
    if not near:
        return ["the run could not be done"]
    return list(_changes("", near[0], dict(rerun.identity)))


def _changes(where: str, now: Any, before: Any) -> Iterator[str]:
    """List the entries in which two JSON values differ."""
    if isinstance(now, dict) and isinstance(before, dict):
        for name in sorted(now.keys() | before.keys()):
            yield from _changes(f"{where}.{name}" if where else name, now.get(name), before.get(name))
    elif now != before:
        yield f"{where} is {_short(now)}, the manifest has {_short(before)}"


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"manifest {path}: it has {path.stat().st_size} bytes; valid: at most {LARGEST}")
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UserError(f"manifest {path}: it cannot be read ({reason})") from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise UserError(f"manifest {path}: it is not from a run that this version can repeat")
    return manifest


def _chosen(path: Path, identity: _Identity, asked: Mapping[str, Any], listing: Mapping[str, Any]) -> dict[str, Any]:
    """Reconstruct methods, data set, prompts, settings and controls of the request."""
    info = method_info(identity.method)
    datasets = tuple(str(name) for name in asked.get("datasets") or ()) if _is_card(asked, identity) else ()
    datasets = datasets or (identity.dataset,)
    if identity.matched_to is not None:
        method = str(listing.get("matched_method") or "")
        method_info(method)
        settings = asked.get("settings") or {}
        whole = copied(info.name) == "edit"  # it shows edits for other prompts, so all prompts are needed
        prompts = {"prompts": tuple(map(str, asked.get("prompts") or ()))} if whole else _own(path, identity, listing)
        return {"methods": (method,), "datasets": datasets, "settings": dict(settings), "controls": True, **prompts}
    changed = info.changed_settings(identity.settings, identity.tier)
    if info.control and changed:
        raise UserError(f"manifest {path}: the settings of the control {info.name} have changed: {', '.join(changed)}")
    own = _own(path, identity, listing)
    return {"methods": (info.name,), "datasets": datasets, "settings": changed, "controls": False, **own}


def _is_card(asked: Mapping[str, Any], identity: _Identity) -> bool:
    """Whether the run's data set was given as the path of a card."""
    names = asked.get("datasets")
    return isinstance(names, list) and len(names) == 1 and str(names[0]).endswith((".yaml", ".yml"))


def _own(path: Path, identity: _Identity, listing: Mapping[str, Any]) -> dict[str, Any]:
    words = identity.prompt.model_dump()
    if any(text is not None and not is_printable(text) for text in words.values()):
        raise UserError(f"manifest {path}: its prompt holds characters that cannot be printed")
    return {"own_prompts": (PlannedPrompt(identity.prompt_id, Prompt(**words), bool(listing.get("trained"))),)}


def _census_prompts(identity: _Identity, asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the prompt alone; for a control that shows edits for another prompt, return all possible ones."""
    if identity.matched_to is not None and copied(identity.method) == "edit":
        return tuple(map(str, asked.get("prompts") or ()))
    return (identity.prompt_id,)


def _strengths(identity: _Identity, asked: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the strengths of the request where the cell itself has only one: generated pictures and copies."""
    if identity.images.split == "generated" or identity.matched_to is not None:
        return tuple(float(strength) for strength in asked.get("strengths") or BenchRequest.strengths)
    return tuple(identity.strengths)


def _refuse_own_folder(path: Path, results: Path) -> None:
    if results.resolve() in path.resolve().parents:
        raise UserError(f"results: {results} holds the run itself; name another folder with --results")


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return text if len(text) <= 80 else f"{text[:77]}..."
