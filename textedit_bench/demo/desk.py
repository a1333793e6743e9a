"""What the demo computes and holds: photos, and each method's edits at every strength. It knows nothing of browsers."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from textedit_bench.data.pixels import Pixels, to_images, to_uint8
from textedit_bench.demo import MOST_PICTURES, STRENGTHS
from textedit_bench.domain import Domain
from textedit_bench.errors import UserError
from textedit_bench.metrics.column import OK
from textedit_bench.metrics.images import LRUCache
from textedit_bench.metrics.suite import Suite
from textedit_bench.own_photo import is_aligned, own_photo
from textedit_bench.per_prompt import PerPromptEditor
from textedit_bench.photos import Photos, stored_photo
from textedit_bench.ready import check_served, is_trained, pictures_of, prompt_with_truth, ready_editor
from textedit_bench.registry import list_methods, method_info, new_editor
from textedit_bench.report.html_page.thumbnails import ThumbnailBook
from textedit_bench.report.rows import HEADLINE, column_specs

if TYPE_CHECKING:
    from textedit_bench.editor import Editor, Latents
    from textedit_bench.prompt import Prompt
    from textedit_bench.worlds.world import Attribute

SAMPLES = 12
PHOTOS, SWEEPS = 32, 128
"""Photos and edits (each at every strength) that are held per data set; what was not asked for longest goes first."""
_LOSSLESS = 256
"""Side in pixels up to which pictures are shown without loss; larger ones would take long to reach a browser."""
_UPLOAD = "upload-"
Chosen = tuple[Photos, str, dict[str, int]]
"""A photo, and the argument and options that tell ``edit`` of it."""


@dataclass(frozen=True)
class Shown:
    """A picture (a data URI), how strong an edit it is, what makes it, what judges say, and what the oracle reads."""

    picture: str
    command: str
    strength: float = 0.0
    figures: Sequence[tuple[str, str]] = ()
    reading: str = ""


@dataclass(frozen=True)
class Sweep:
    """What one method makes of a photo and a text: a picture per strength, or the reason why there is none."""

    title: str
    shown: tuple[Shown, ...] = ()
    refusal: str = ""


class Desk:
    """One data set, which commands name ``dataset``, the photos chosen on it, and their edits; networks come late."""

    def __init__(self, domain: Domain, dataset: str) -> None:
        self.domain = domain
        device = {} if domain.device.type == "cpu" else {"--device": domain.device}
        self._options = {"--dataset": dataset, "--tier": domain.tier, **device}
        self._suite = Suite(domain)
        self._editors: dict[str, Editor] = {}
        self._held: LRUCache[Chosen] = LRUCache(PHOTOS)
        self._latents: LRUCache[Latents] = LRUCache(PHOTOS)
        self._sweeps: LRUCache[Sweep] = LRUCache(SWEEPS)

    def methods(self, task: str) -> list[tuple[str, str]]:
        """Name of every method with a task, and what it lacks here (empty if nothing)."""
        return [(i.name, self._lack(i.name)) for i in list_methods() if task in i.tasks and not i.control]

    def _lack(self, method: str) -> str:
        try:
            editor = new_editor(method, self.domain)
        except UserError:
            return "not for this data set"
        if editor.lacks():
            return "its authors' files are missing"
        partial = "only texts it was trained for" if isinstance(editor, PerPromptEditor) else ""
        return partial if is_trained(editor) else "not trained here"

    def samples(self) -> list[tuple[str, str]]:
        """Image id and picture (a data URI) of the first photos of the evaluation split; raises where it has none."""
        n = min(SAMPLES, self.domain.tier_card.splits.get("evaluation", 0))
        pictures = to_uint8(self.domain.photos("evaluation", n).images)
        return [(f"evaluation-{number:05d}", data_uri(picture)) for number, picture in enumerate(pictures)]

    def upload(self, path: str | Path) -> str:
        """Read the user's own photo as ``edit`` does; returns the name that `photo` knows it by; raises `UserError`."""
        path, face = Path(path), {"--face": 0} if is_aligned(self.domain) else {}
        try:
            photo = own_photo(self.domain, path, face=face.get("--face"))
        except UserError as error:  # it names a folder that is none of the user's
            raise UserError(str(error).replace(str(path), path.name)) from error
        content = path.name.encode() + to_uint8(photo.images).tobytes()
        name = _UPLOAD + hashlib.sha256(content).hexdigest()[:16]
        self._held(name, lambda: (photo, path.name, face))
        return name

    def photo(self, name: str) -> Chosen:
        """A photo by its image id (``evaluation-00003``), or by what `upload` returned; raises where there is none."""
        return self._held(name, lambda: (self._stored(name), name, {}))

    def _stored(self, name: str) -> Photos:
        if name.startswith(_UPLOAD):
            raise UserError("photo: the upload is not held any more; upload it again")
        if (photo := stored_photo(self.domain, name)) is None:
            raise UserError(f"photo {name!r}: there is no such image; valid: an id such as evaluation-00003, an upload")
        return photo

    def latents(self, name: str) -> Latents:
        """Codes of a photo, found once while they are held; errors as `photo`."""
        return self._latents(name, lambda: self.domain.invert(self.photo(name)[0]))

    def picture(self, name: str) -> str:
        """A photo as a data URI, without any network; errors as `photo`."""
        return data_uri(to_uint8(self.photo(name)[0].images)[0])

    def sweep(self, photo: str, text: str, method: str) -> Sweep:
        """The edit at every strength of `STRENGTHS`, computed once while it is held, or why the method refuses.

        Raises `UserError` where there is no such photo, or the text cannot be a prompt.
        """
        prompt, chosen, latents = prompt_with_truth(self.domain, text), self.photo(photo), self.latents(photo)
        try:
            return self._sweeps((photo, prompt.target, method), lambda: self._sweep(chosen, latents, prompt, method))
        except UserError as error:  # not held: the method may be trained meanwhile
            return Sweep(method_info(method).title, refusal=str(error))

    def _sweep(self, chosen: Chosen, latents: Latents, prompt: Prompt, method: str) -> Sweep:
        editor, (photo, argument, face) = self._editor(method, prompt), chosen
        edits = editor.edit_sweep(latents, prompt.without_truth, STRENGTHS)
        pixels = np.concatenate([pictures_of(editor, made) for made in (latents, *edits)])  # the inversion first
        options, words = {"--method": method, **self._options, **face}, [argument, prompt.words]
        lines = [command_line("edit", {**options, "--strength": f"{strength:g}"}, words) for strength in STRENGTHS]
        judged = self._figures(photo, prompt, pixels), self._readings(prompt, pixels)
        return Sweep(editor.info.title, tuple(map(Shown, map(data_uri, pixels[1:]), lines, STRENGTHS, *judged)))

    def generate(self, text: str, method: str, n: int, seed: int) -> Sweep:
        """Pictures from a text alone; raises `UserError` for numbers out of range and a text that is refused."""
        if not (1 <= n <= MOST_PICTURES and 0 <= seed < 2**31):
            raise UserError(f"pictures {n}, seed {seed}; valid: 1 to {MOST_PICTURES} pictures, a seed below {2**31}")
        prompt = prompt_with_truth(self.domain, text).without_truth
        editor = self._editor(method, prompt)
        line = command_line("generate", {"--method": method, **self._options, "-n": n, "--seed": seed}, [prompt.words])
        pictures = pictures_of(editor, editor.generate(prompt, n, seed))
        return Sweep(editor.info.title, tuple(Shown(data_uri(picture), line) for picture in pictures))

    def _editor(self, method: str, prompt: Prompt) -> Editor:
        editor = self._editors.get(method) or ready_editor(method, self.domain, None, {})
        self._editors[method] = editor
        check_served(editor, prompt.without_truth)
        if isinstance(editor, PerPromptEditor) and not editor.is_trained_for(prompt):
            words = prompt.words + ";" * ("," in prompt.words)  # a comma alone would separate two prompts
            line = command_line("train", {"--method": method, **self._options, "--prompts": words}, [])
            raise UserError(f"it has a network for each text, but none for {prompt.words!r}; train one with: {line}")
        return editor

    def _figures(self, photo: Photos, prompt: Prompt, pixels: Pixels) -> list[list[tuple[str, str]]]:
        """What the judges say of each edit; ``pixels`` are the inversion and the edits."""
        inversion, edits = to_images(pixels, self.domain.device).tensor_split([1])
        n, suite, factors = len(edits), self._suite, photo.factors
        columns = suite.score_batch(
            photos=photo.images.expand_as(edits), inversions=inversion.expand_as(edits), edits=edits, prompt=prompt,
            factors=None if factors is None else factors[[0] * n],
        )  # fmt: skip
        specs = column_specs({name: asdict(protocol) for name, protocol in suite.protocols.items()}, HEADLINE)
        shown = [(spec, columns[spec.name]) for spec in specs if spec.scope == "image" and not spec.in_loop]
        return [
            [(f"{s.title} {s.arrow}", s.text(c.values[i]) if c.states[i] == OK else c.states[i]) for s, c in shown]
            for i in range(n)
        ]

    @torch.no_grad()
    def _readings(self, prompt: Prompt, pixels: Pixels) -> list[str]:
        """What the oracle sees of what was asked, and what else changed since the inversion; empty without truth."""
        world = self.domain.world
        if world is None or not prompt.asked or not self.domain.has("oracle"):
            return [""] * (len(pixels) - 1)
        before, *after = self.domain.network("oracle").predict(to_images(pixels, self.domain.device)).tolist()
        return [_reading(world.attributes, prompt.asked, before, labels) for labels in after]


def _reading(attributes: Sequence[Attribute], asked: Mapping[str, str], before: list[int], after: list[int]) -> str:
    words, others = [], []
    for attribute, old, new in zip(attributes, before, after, strict=True):
        name, seen = attribute.name.replace("_", " "), attribute.values[new] if new >= 0 else "unsure"
        if wanted := asked.get(attribute.name):
            words.append(f"{name}: {seen}" if seen == wanted else f"{name}: {seen}, not {wanted}")
        elif new != old:
            others.append(name)
    return "; ".join([*words, f"also changed: {', '.join(others)}" if others else "nothing else changed"])


def command_line(action: str, options: Mapping[str, object], arguments: Sequence[str]) -> str:
    """A line for a shell, quoted for it: ``textedit-bench edit --method x --strength 1.5 me.png 'blond hair'``."""
    words = [str(word) for option in options.items() for word in option]
    separator = ["--"] * any(argument.startswith("-") for argument in arguments)
    return shlex.join(["textedit-bench", action, *words, *separator, *arguments])


def data_uri(pixels: Pixels) -> str:
    """An 8-bit picture [H, W, 3] as a data URI, without loss if it is small."""
    return ThumbnailBook(92, len(pixels), lossless=len(pixels) <= _LOSSLESS).encode(pixels)
