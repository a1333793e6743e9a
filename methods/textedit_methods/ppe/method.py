"""PPE: predict what a prompt is entangled with, prevent it in the loss, evaluate what is left of it."""

from __future__ import annotations

import logging
from typing import Any

import torch

from textedit_bench.latent_mapper.editor import MapperEditor
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainedEditor
from textedit_methods.ppe.anchors import Anchors, Classes, own_classes, predict
from textedit_methods.ppe.card import CARD, RELEASED_NAMES, Settings
from textedit_methods.ppe.published import PUBLISHED
from textedit_methods.ppe.released import RELEASED

log = logging.getLogger(__name__)

_COMPOUND = "compound"


class PPE(MapperEditor[Settings]):
    """A mapper per prompt, whose training watches texts that the prompt is entangled with."""

    info = CARD
    released = RELEASED

    def untrainable(self, prompt: Prompt) -> str | None:
        """The card has no text that an edit could be held to."""
        if not self.values.entanglement_weight:
            return None
        classes = self.classes()
        if set(classes) - own_classes(prompt.words, self._group(prompt), classes, self.embed_text):
            return None
        return "PPE needs trained prompts of other groups on the data set's card, which its edits are held to"

    def classes(self) -> Classes:
        """What anchors are chosen from: the authors' texts, or the trained prompts of the card by group.

        A prompt without a group is a class of its own; compounds are none.
        """
        if self.values.anchors == "published":
            return PUBLISHED
        found: dict[str, list[str]] = {}
        for prompt in self.domain.training_prompts():
            if prompt.group != _COMPOUND:
                found.setdefault(prompt.group or prompt.words, []).append(prompt.words)
        return found

    @torch.no_grad()
    def anchors(self, prompt: Prompt) -> Anchors:
        """What the edits of a prompt are held to."""
        from textedit_bench.training.photos import seen_photos

        values, classes = self.values, self.classes()
        found = predict(
            prompt.words,
            own_classes(prompt.words, self._group(prompt), classes, self.embed_text),
            classes,
            self.embed_text,
            seen_photos(self.domain, values.pictures),
            aggregated=values.aggregated,
            count=values.num_anchors,
            first_of_class=values.aggregate == "released",
        )
        log.info("%s: anchors of %r: %s", CARD.name, prompt.words, ", ".join(found.texts))
        return found

    @staticmethod
    def _group(prompt: Prompt) -> str | None:
        return None if prompt.group == _COMPOUND else prompt.group

    def run_identity(self) -> dict[str, Any]:
        """Also the texts that anchors are chosen from."""
        return {**super().run_identity(), "classes": {name: list(texts) for name, texts in self.classes().items()}}

    @classmethod
    def released_name(cls, phrase: str) -> str:
        """Asset id of the authors' mapper."""
        return RELEASED_NAMES.get(phrase, "")

    plan_training = TrainedEditor.plan_training  # by this method's own module, not as all mappers
