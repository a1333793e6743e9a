"""Prepare an editor with its weights, a prompt, and the pictures it makes, for ``edit``, ``generate`` and ``demo``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from textedit_bench.assets.locate import not_trained
from textedit_bench.bench.prompts import check_read, plan_prompts
from textedit_bench.bench.shards import BATCH
from textedit_bench.data.pixels import Pixels, to_uint8
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.registry import load_editor, new_editor

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.editor import Editor, Latents


def ready_editor(method: str, domain: Domain, weights: Path | None, settings: Mapping[str, Any]) -> Editor:
    """Load a method on a domain with trained weights: those of the given file, else the committed ones.

    Raises:
        UserError: unknown method or setting, no such file, a method that trains nothing or is not trained here.
    """
    if weights is not None:
        if weights.is_dir():
            from textedit_bench.models.torch_files import torch_file_kind

            torch_file_kind(weights)  # says what the folder is
        if not weights.is_file():
            raise UserError(f"--weights {weights}: there is no such file")
        editor = new_editor(method, domain, **settings)
        if editor.info.trains == "none":
            raise UserError(f"--weights {weights}: method {method!r} trains nothing, so there is nothing to load")
        editor.load(weights)
        return editor
    editor = load_editor(method, domain, **settings)
    if not is_trained(editor):
        raise not_trained(editor)
    return editor


def is_trained(editor: Editor) -> bool:
    """Whether an editor of one network per data set has its weights; others are, or are trained for each prompt."""
    path = editor.weights_path()
    there = editor.released_weights() is not None or (path is not None and path.is_file())
    return there or editor.info.trains != "per-dataset" or not editor.needs_weights


def check_served(editor: Editor, prompt: Prompt) -> None:
    """Refuse a prompt that the method cannot serve.

    Raises:
        UserError: gives the method's reason.
    """
    if refusal := editor.refusal(prompt):
        raise UserError(f"prompt {prompt.words!r} is not one for {editor.info.name}: {refusal}")


def resolve_prompt(domain: Domain, text: str) -> Prompt:
    """Return the card's prompt of that id or wording, or a prompt of the text itself; without ground truth.

    Raises:
        UserError: a text that cannot be a prompt, or that the text encoder would truncate.
    """
    return prompt_with_truth(domain, text).without_truth


def prompt_with_truth(domain: Domain, text: str) -> Prompt:
    """As `resolve_prompt`, with the ground truth where the card knows it, for judges alone."""
    prompt = plan_prompts(domain.card, domain.tier, [text])[0].prompt
    check_read(domain, [prompt])
    return prompt


def pictures_of(editor: Editor, made: Latents | torch.Tensor) -> Pixels:
    """Return what a method made as 8-bit pictures [N, H, W, 3], synthesised batch by batch to bound memory.

    Raises:
        UserError: pictures with values that are not finite.
    """
    images = [made] if isinstance(made, torch.Tensor) else []
    with torch.no_grad():
        for start in range(0, 0 if images else len(made), BATCH):
            images.append(editor.domain.generator.synthesize(made[start : start + BATCH]))
    if not all(batch.isfinite().all() for batch in images):
        raise UserError(f"{editor.info.title} made pictures with values that are not finite")
    return np.concatenate([to_uint8(batch) for batch in images])
