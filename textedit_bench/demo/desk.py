"""What the demo computes and holds: photos, and each method's edits at every strength. It knows nothing of browsers."""

from __future__ import annotations

import base64
import hashlib
import io
import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from textedit_bench.bench.prompts import plan_prompts
from textedit_bench.bench.shards import pass_size
from textedit_bench.data.pixels import Pixels, to_images, to_uint8
from textedit_bench.demo.command import Place, edit_command, generate_command
from textedit_bench.domain import Domain, load_domain
from textedit_bench.errors import UserError
from textedit_bench.metrics.column import OK
from textedit_bench.metrics.images import ImageBatch
from textedit_bench.metrics.lru_cache import LRUCache
from textedit_bench.metrics.suite import Suite
from textedit_bench.own_photo import is_aligned, own_photo
from textedit_bench.per_prompt import PerPromptEditor
from textedit_bench.photos import Photos
from textedit_bench.ready import check_served, is_trained, ready_editor, resolve_prompt
from textedit_bench.registry import list_methods, method_info, new_editor
from textedit_bench.report.columns import HEADLINE, column_specs

if TYPE_CHECKING:
    from textedit_bench.editor import Editor, Latents
    from textedit_bench.info import MethodInfo
    from textedit_bench.prompt import Prompt

STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0)
SAMPLES = 12
MOST_PICTURES = 8
"""Of one generation."""
DESKS, PHOTOS, SWEEPS = 2, 32, 128
"""Data sets whose networks are held, photos of a data set, and edits (each at every strength); the oldest go first."""
_LOSSLESS = 256
"""Side in pixels up to which pictures are shown without loss; larger ones would take minutes to reach a browser."""
_UPLOAD = "upload-"

Figures = tuple[tuple[str, str], ...]
"""Title and value of every judge."""


@dataclass(frozen=True)
class Shown:
    """One picture as a page shows it.

    Attributes:
        picture: its data URI.
        command: the line for a shell that makes it.
        figures: what the judges say.
        reading: what the oracle sees, in the mini tier and for prompts whose truth is known; else empty.
    """

    picture: str
    command: str
    figures: Figures = ()
    reading: str = ""


@dataclass(frozen=True)
class Sweep:
    """What one method makes of a photo and a text: one picture per strength, or the reason why there is none."""

    title: str
    shown: tuple[Shown, ...] = ()
    refusal: str = ""


@dataclass(frozen=True)
class HeldPhoto:
    """A photo that was chosen: its codes and its inversion, found once, and judges, who remember what they saw of it.

    Attributes:
        words: how ``edit`` is told of it: an image id or a file, and options.
    """

    photos: Photos
    words: tuple[str, ...]
    latents: Latents
    inversion: Pixels
    suite: Suite


class Desks:
    """The desks of several data sets; only those used last hold their networks."""

    def __init__(self, tier: str = "auto", device: str = "cpu") -> None:
        self._tier, self._device = tier, device
        self._held: LRUCache[Desk] = LRUCache(DESKS)

    def __call__(self, dataset: str) -> Desk:
        """The desk of a data set's name or card."""
        return self._held(dataset, lambda: Desk(load_domain(dataset, self._tier, self._device), dataset))


class Desk:
    """One data set, the photos chosen on it, and their edits.

    Args:
        domain: the data set; its networks are loaded when an edit needs them.
        dataset: its name as commands name it: a name or a card's path.
    """

    def __init__(self, domain: Domain, dataset: str) -> None:
        self.domain = domain
        self.place = Place(dataset, domain.tier, str(domain.device))
        self._editors: dict[str, Editor] = {}
        self._uploads: LRUCache[tuple[Photos, tuple[str, ...]]] = LRUCache(PHOTOS)
        self._photos: LRUCache[HeldPhoto] = LRUCache(PHOTOS)
        self._sweeps: LRUCache[Sweep] = LRUCache(SWEEPS)

    def methods(self, task: str) -> list[tuple[str, str]]:
        """Label and name of every method with a task; the label says what it lacks here."""
        found = [info for info in list_methods() if task in info.tasks and not info.control]
        return [(f"{info.title}{self._lacks(info)}", info.name) for info in found]

    def _lacks(self, info: MethodInfo) -> str:
        try:
            editor = new_editor(info.name, self.domain)
        except UserError:
            return " (not for this data set)"
        if not is_trained(editor):
            return " (not trained here)"
        return " (only texts it was trained for)" if isinstance(editor, PerPromptEditor) else ""

    def samples(self) -> list[tuple[str, str]]:
        """Image id and picture (a data URI) of the first photos of the evaluation split.

        Raises:
            UserError: the data set's photos are not there.
        """
        photos = self.domain.photos("evaluation", min(SAMPLES, self.domain.tier_card.splits.get("evaluation", 0)))
        places = [f"evaluation-{number:05d}" for number in range(len(photos.ids))]
        return list(zip(places, map(data_uri, to_uint8(photos.images)), strict=True))

    def upload(self, path: str | Path) -> str:
        """Read the user's own photo, aligned as ``edit`` does it, and return the name that `photo` knows it by.

        Raises:
            UserError: it is no picture, or has no face where one is needed; the message names the file alone.
        """
        path, face = Path(path), 0 if is_aligned(self.domain) else None
        try:
            photos = own_photo(self.domain, path, face=face)
        except UserError as error:
            raise UserError(str(error).replace(str(path), path.name)) from error
        pixels = to_uint8(photos.images)
        name = _UPLOAD + hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
        words = (path.name,) if face is None else (path.name, "--face", str(face))
        self._uploads(name, lambda: (replace(photos, ids=(name,)), words))
        return name

    def photo(self, name: str) -> HeldPhoto:
        """A photo with its codes, by image id (``evaluation-00003``) or by what `upload` returned.

        Raises:
            UserError: no such photo, or an upload that is not held any more.
        """
        return self._photos(name.strip(), lambda: self._hold(*self._chosen(name.strip())))

    def picture(self, name: str) -> str:
        """The chosen photo as a data URI, without any network; errors as `photo`."""
        return data_uri(to_uint8(self._chosen(name.strip())[0].images)[0])

    def _chosen(self, name: str) -> tuple[Photos, tuple[str, ...]]:
        if name.startswith(_UPLOAD):
            return self._uploads(name, _forgotten)
        split, _, number = name.rpartition("-")
        if split not in self.domain.tier_card.splits or not number.isdecimal():
            raise UserError(
                f"photo {name!r}: there is no such image; valid: ids such as evaluation-00003, or an upload"
            )
        return self.domain.photos(split, 1, int(number)), (name,)

    @torch.no_grad()
    def _hold(self, photos: Photos, words: tuple[str, ...]) -> HeldPhoto:
        latents = self.domain.invert(photos)
        inversion = to_uint8(self.domain.generator.synthesize(latents))
        return HeldPhoto(photos, words, latents, inversion, Suite(self.domain))

    def prompt(self, text: str) -> Prompt:
        """The prompt of a text, with its truth where the card knows it.

        Raises:
            UserError: a text that cannot be a prompt.
        """
        resolve_prompt(self.domain, text)
        return plan_prompts(self.domain.card, self.domain.tier, [text])[0].prompt

    def sweep(self, photo: str, text: str, method: str) -> Sweep:
        """The edit at every strength of `STRENGTHS`, computed once while it is held; a method's refusal is in it.

        Raises:
            UserError: no such photo, or a text that cannot be a prompt.
        """
        held, prompt = self.photo(photo), self.prompt(text)
        key = (photo.strip(), prompt.target, method)
        return self._sweeps(key, lambda: self._sweep(held, prompt, method))

    def _sweep(self, held: HeldPhoto, prompt: Prompt, method: str) -> Sweep:
        try:
            editor = self._editor(method, prompt)
            edits = editor.edit_sweep(held.latents, prompt.without_truth, STRENGTHS)
            pixels = np.concatenate([self._pixels(edit, editor) for edit in edits])
        except UserError as error:
            return Sweep(method_info(method).title, refusal=str(error))
        figures, readings = self._figures(held, prompt, pixels), self._readings(held, prompt, pixels)
        lines = [edit_command(self.place, held.words, prompt.words, method, strength) for strength in STRENGTHS]
        return Sweep(editor.info.title, tuple(map(Shown, map(data_uri, pixels), lines, figures, readings)))

    def generate(self, text: str, method: str, n: int, seed: int) -> Sweep:
        """Pictures from a text alone, ``n`` of them (at most `MOST_PICTURES`).

        Raises:
            UserError: a text that cannot be a prompt, or that the method refuses.
        """
        if not (1 <= n <= MOST_PICTURES and 0 <= seed < 2**31):
            raise UserError(f"pictures {n}, seed {seed}; valid: 1 to {MOST_PICTURES} pictures, a seed below {2**31}")
        prompt = self.prompt(text).without_truth
        editor = self._editor(method, prompt)
        line = generate_command(self.place, prompt.words, method, n, seed)
        pictures = self._pixels(editor.generate(prompt, n, seed), editor)
        return Sweep(editor.info.title, tuple(Shown(data_uri(picture), line) for picture in pictures))

    def _editor(self, method: str, prompt: Prompt) -> Editor:
        if method not in self._editors:
            self._editors[method] = ready_editor(method, self.domain, None, {})
        editor = self._editors[method]
        check_served(editor, prompt.without_truth)
        if isinstance(editor, PerPromptEditor) and not editor.is_trained_for(prompt):
            place, words = self.place, shlex.quote(prompt.words)
            raise UserError(
                f"{editor.info.title} trains a network for each text and has none for {prompt.words!r}; train it with: "
                f"textedit-bench train -m {method} -d {place.dataset} --tier {place.tier} --prompts {words}"
            )
        return editor

    @torch.no_grad()
    def _pixels(self, made: Latents | torch.Tensor, editor: Editor) -> Pixels:
        images = made if isinstance(made, torch.Tensor) else self.domain.generator.synthesize(made)
        if not images.isfinite().all():
            raise UserError(f"{editor.info.title} made a picture of numbers that are not finite")
        return to_uint8(images)

    def _figures(self, held: HeldPhoto, prompt: Prompt, edits: Pixels) -> list[Figures]:
        """Title and value of every headline metric of single pictures, per edit."""
        suite, factors = held.suite, held.photos.factors
        protocols = {name: asdict(protocol) for name, protocol in suite.protocols.items()}
        specs = [spec for spec in column_specs(protocols, HEADLINE) if spec.scope == "image" and not spec.in_loop]
        photo, size = to_uint8(held.photos.images), pass_size(self.domain.resolution)
        found: list[Figures] = []
        for start in range(0, len(edits), size):
            part = edits[start : start + size]
            batches = (ImageBatch.of_pixels(p, self.domain.device) for p in (photo, held.inversion, part))
            first, second, third = (_repeated(batch, len(part)) for batch in batches)
            columns = suite.score_batch(
                photos=first,
                inversions=second,
                edits=third,
                prompt=prompt,
                factors=None if factors is None else factors[[0] * len(part)],
            )
            for row in range(len(part)):
                cells = [(spec, columns[spec.name]) for spec in specs]
                texts = [s.text(c.values[row]) if c.states[row] == OK else c.states[row] for s, c in cells]
                found.append(tuple((f"{s.title} {s.arrow}", text) for s, text in zip(specs, texts, strict=True)))
        return found

    @torch.no_grad()
    def _readings(self, held: HeldPhoto, prompt: Prompt, edits: Pixels) -> list[str]:
        """What the oracle sees of what was asked, and what else it sees changed since the inversion, per edit."""
        world = self.domain.world
        if world is None or not prompt.asked or not self.domain.has("oracle"):
            return [""] * len(edits)
        images = to_images(np.concatenate([held.inversion, edits]), self.domain.device)
        before, *after = self.domain.network("oracle").predict(images).tolist()
        readings = []
        for labels in after:
            words, others = [], []
            for attribute, old, new in zip(world.attributes, before, labels, strict=True):
                name, seen = attribute.name.replace("_", " "), attribute.values[new] if new >= 0 else "unsure"
                if wanted := prompt.asked.get(attribute.name):
                    words.append(f"{name}: {seen}" if seen == wanted else f"{name}: {seen}, not {wanted}")
                elif new != old:
                    others.append(name)
            readings.append(
                "; ".join([*words, f"also changed: {', '.join(others)}" if others else "nothing else changed"])
            )
        return readings


def data_uri(pixels: Pixels) -> str:
    """An 8-bit picture [H, W, 3] as a data URI: PNG, or JPEG where it is large."""
    kind = "png" if len(pixels) <= _LOSSLESS else "jpeg"
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, quality=92)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def _repeated(batch: ImageBatch, times: int) -> ImageBatch:
    if len(batch) == times:
        return batch
    return ImageBatch(batch.images.expand(times, -1, -1, -1), batch.keys * times, batch.finite.expand(times))


def _forgotten() -> Any:
    raise UserError("photo: the upload is not held any more; upload it again")
