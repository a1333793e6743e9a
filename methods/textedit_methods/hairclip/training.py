"""Train HairCLIP's mapper: the requests that are drawn, the terms of the loss as released, and the run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.errors import UserError
from textedit_bench.latent_mapper.network import STEP
from textedit_bench.latent_mapper.ranger import Ranger
from textedit_bench.latent_mapper.training import identity_term, latent_term
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainingPlan
from textedit_bench.training import EditorModule, LatentData, RunOptions, loss_weights, training_codes
from textedit_bench.training.background import background_term
from textedit_bench.training.data import Batch, split_steps
from textedit_bench.training.unedited import describe_unedited
from textedit_methods.hairclip.card import Settings
from textedit_methods.hairclip.colour import colour_distance, mean_lab
from textedit_methods.hairclip.method import embed_hair
from textedit_methods.hairclip.texts import training_texts

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import Preprocessing
    from textedit_methods.hairclip.method import HairCLIP

_SEEN = ("style_image", "colour_image", "colour_kept", "background")
NEEDS = {"identity": "identity", **dict.fromkeys(_SEEN, "parser")}
"""Term -> role of the network without which it is off."""


class Requests:
    """What may be asked of a code: every kind of request with every style and colour.

    A kind says of style and of colour whether it comes as a text, as a picture, or not at all.

    Args:
        styles, colours: embeddings of the texts [S, d] and [C, d]; kinds that need a text of an empty list are left
            out.
        values: probabilities.
        pictures: whether pictures can be asked for.

    Raises:
        UserError: probabilities above 1, or nothing that can be asked for.
    """

    def __init__(self, styles: Tensor, colours: Tensor, values: Settings, *, pictures: bool) -> None:
        both, style, colour = values.both_probability, values.style_probability, values.colour_probability
        none = 1 - both - style - colour
        if none < -1e-6:
            raise UserError(f"style, colour and both_probability sum to {1 - none:g}; valid: at most 1")
        shown = values.image_probability if pictures else 0.0
        first, second = ({"text": (1 - shown) * bool(len(texts)), "image": shown} for texts in (styles, colours))
        chances = {(a, b): both * x * y for (a, x), (b, y) in product(first.items(), second.items())}
        chances |= {(a, ""): style * x for a, x in first.items()} | {("", b): colour * y for b, y in second.items()}
        self.kinds = [kind for kind, chance in chances.items() if chance > 0]
        if not self.kinds:
            raise UserError("hairclip: no style or colour can be asked for; valid: texts, with a probability above 0")
        self.kinds += [("", "")] * (none > 1e-6)
        self.styles, self.colours = styles, colours
        pairs = max(len(styles), 1) * max(len(colours), 1)
        self.chances = torch.tensor([chances.get(kind, none) for kind in self.kinds]).repeat(pairs)

    def __call__(self, choice: Tensor) -> Batch:
        """Return the requests of choices [B]: text embeddings, zeros if there are none, and masks, by name."""
        kind, pair = choice % len(self.kinds), choice // len(self.kinds)
        style = pair % max(len(self.styles), 1)
        colour = (style + pair // max(len(self.styles), 1)) % max(len(self.colours), 1)  # so that few choices show all
        found: Batch = {}
        for position, (name, texts, number) in enumerate(
            (("style", self.styles, style), ("colour", self.colours, colour))
        ):
            for form in ("text", "image"):
                found[f"{name}_{form}"] = torch.tensor([float(each[position] == form) for each in self.kinds])[kind]
            chosen = texts[number] if len(texts) else texts.new_zeros(len(choice), texts.shape[1])
            found[name] = chosen * found[f"{name}_text"][:, None]
        return found


def plan_training(editor: HairCLIP, run: RunOptions, prompts: Sequence[Prompt] | None) -> TrainingPlan:
    """Plan one run over codes with requests drawn for them.

    Raises:
        UserError: prompts about anything but hair, or settings that contradict each other.
    """
    values, domain = editor.values, editor.domain
    texts = training_texts(domain, prompts, values.texts == "published")
    network = editor.seeded_network(run.seed)
    weights = loss_weights("hairclip", editor.settings, domain, NEEDS)
    codes = training_codes(domain, values.codes, values.num_codes, run.seed, run.folder / "codes")
    held_out = min(values.validation_codes, len(codes) // 4)
    pictures = domain.has("parser") and bool(values.image_probability)
    styles, colours = (embedded(editor, listed) for listed in texts)
    requests = Requests(styles, colours, values, pictures=pictures)

    def beside(index: Tensor, choice: Tensor) -> Batch:
        # Any other code of the training split is the picture that is asked for.
        others = [(index + 1 + choice * step) % (len(codes) - held_out) for step in (3, 5)]
        return {**requests(choice), **({"shown": torch.stack([codes[other] for other in others])} if pictures else {})}

    per_epoch, epochs = split_steps(values.steps, values.steps_per_validation)
    data = LatentData(
        codes,
        batch_size=values.batch_size,
        steps_per_epoch=per_epoch,
        choice_weights=requests.chances,
        validation=held_out,
        seed=run.seed,
        beside=beside,
    )
    module = HairTraining(
        network,
        domain,
        codes=codes,
        clip_preprocessing=values.clip_preprocessing,
        weights=weights,
        optimizer=Ranger if values.optimizer == "ranger" else torch.optim.Adam,
        learning_rate=values.learning_rate,
        total_steps=epochs * per_epoch,
        final_rate=values.final_rate,
        seed=run.seed,
    )
    return TrainingPlan(module, data, epochs, learnt_from={"styles": texts[0], "colours": texts[1]})


def embedded(editor: HairCLIP, texts: Sequence[str]) -> Tensor:
    """Embed texts by the guiding CLIP, [N, d] on the CPU."""
    rows = [editor.embed_text(text) for text in texts]
    return torch.stack(rows).cpu() if rows else torch.zeros(0, editor.domain.clip.embed_dim)


def cosine_distance(first: Tensor, second: Tensor) -> Tensor:
    """Compute one minus the cosine of vectors of any length, [B, d] and [B, d] -> [B]."""
    return 1 - F.cosine_similarity(first, second, dim=-1)


def where_asked(values: Tensor, asked: Tensor) -> Tensor:
    """Average over a batch [B] in which values that are not asked for count as 0."""
    return (values * asked).mean()


class HairTraining(EditorModule):
    """The loss of HairCLIP on codes and requests; a batch holds both.

    Args:
        network: the mapper to train.
        domain: frozen generator, CLIP, identity network and face parser.
        codes: every code of the data module [M, rows, d].
        clip_preprocessing: how images reach CLIP's text terms; ``"published"`` or ``"correct"``.
        options: of `EditorModule`.
    """

    def __init__(
        self,
        network: nn.Module,
        domain: Domain,
        *,
        codes: Tensor,
        clip_preprocessing: Preprocessing,
        **options: Any,
    ) -> None:
        super().__init__(network, domain, **options)
        self.codes, self.clip_preprocessing = codes.cpu(), clip_preprocessing

    def on_fit_start(self) -> None:
        """Embed the identity of the unedited images of all codes."""
        super().on_fit_start()
        wanted = {"identity": self.domain.identity.embed} if self.weights["identity"] else {}
        self.sources = describe_unedited(self.domain, self.codes, self.device, wanted)

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Compute all terms; a term of a condition is a mean over the batch in which other requests count as 0."""
        weights, domain, codes = self.weights, self.domain, batch["codes"]
        style, colour = batch["style"], batch["colour"]
        shown: tuple[Tensor, Tensor] | None = None
        if "shown" in batch:
            shown = self._embed_shown(batch["shown"])
            style, colour = (
                text + seen * batch[f"{name}_image"][:, None]
                for name, text, seen in zip(("style", "colour"), (style, colour), shown[0], strict=True)
            )
        step = STEP * network(codes, style, colour)
        edited = domain.generator.synthesize(codes + step)
        terms = {"latent": latent_term(step)}
        if weights["identity"]:
            terms["identity"] = identity_term(self.sources["identity"][batch["index"]], domain.identity.embed(edited))
        if weights["style_text"] or weights["colour_text"]:
            features = domain.clip.encode_image(edited, preprocessing=self.clip_preprocessing)
            for name in ("style", "colour"):
                away = cosine_distance(features, batch[name])
                terms[f"{name}_text"] = where_asked(away, batch[f"{name}_text"])
        if any(weights[name] for name in _SEEN):
            terms |= self._hair_terms(batch, edited, shown)
        return terms

    @torch.no_grad()
    def _embed_shown(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return CLIP's embeddings [2, B, d] and mean Lab [2, B, 3] of the hair of two batches of codes."""
        images = self.domain.generator.synthesize(codes.flatten(0, 1))
        hair = self.domain.network("parser").hair(images)
        found = embed_hair(self.domain, images, hair), mean_lab(images, hair)
        return found[0].unflatten(0, codes.shape[:2]), found[1].unflatten(0, codes.shape[:2])

    def _hair_terms(self, batch: Batch, edited: Tensor, shown: tuple[Tensor, Tensor] | None) -> dict[str, Tensor]:
        """Compute the terms that look where hair is; masks of edits have no gradient."""
        parser = self.domain.network("parser")
        with torch.no_grad():
            source = self.domain.generator.synthesize(batch["codes"])
        hair, edited_hair = parser.hair(source), parser.hair(edited)
        colour = mean_lab(edited, edited_hair)
        style_asked, colour_asked = (batch[f"{name}_text"] + batch[f"{name}_image"] for name in ("style", "colour"))
        moved = colour_distance(colour, mean_lab(source, hair))
        terms = {
            "background": background_term(source, edited, hair, edited_hair),
            "colour_kept": where_asked(moved, style_asked * (1 - colour_asked)),
        }
        if shown is not None:
            (style, _), (_, wanted) = shown
            away = cosine_distance(embed_hair(self.domain, edited, edited_hair), style)
            terms["style_image"] = where_asked(away, batch["style_image"])
            terms["colour_image"] = where_asked(colour_distance(colour, wanted), batch["colour_image"])
        return terms
