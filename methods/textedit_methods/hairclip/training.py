"""Train HairCLIP's mapper: the requests that are drawn, the terms of the loss as released, and the run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from textedit_bench.errors import UserError
from textedit_bench.latent_mapper.network import STEP
from textedit_bench.latent_mapper.training import cosine_distance, identity_term, latent_term
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainingPlan
from textedit_bench.training import RunOptions, loss_weights, training_codes
from textedit_bench.training.background import background_term
from textedit_bench.training.code_module import CodeModule
from textedit_bench.training.data import Batch
from textedit_bench.training.planned import planned_data, planned_rates
from textedit_methods.hairclip.card import COLOURS, STYLES, Settings
from textedit_methods.hairclip.method import Request, embed_hair, request_of

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_methods.hairclip.method import HairCLIP

_GROUPS = ("style", "colour")
_SEEN = ("style_image", "colour_image", "colour_kept", "background")
NEEDS = {"identity": "identity", **dict.fromkeys(_SEEN, "parser")}
"""Term -> role of the network without which it is off."""
_TO_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
_THRESHOLD = 0.008856


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
    pictures = domain.has("parser") and bool(values.image_probability)
    none = torch.zeros(0, domain.clip.embed_dim)
    styles, colours = (torch.cat([none, *(editor.embed_text(text)[None].cpu() for text in each)]) for each in texts)
    requests = Requests(styles, colours, values, pictures=pictures)

    def beside(index: Tensor, choice: Tensor) -> Batch:
        # Any other code of the training split is the picture that is asked for.
        others = [(index + 1 + choice * step) % data.train_count for step in (3, 5)]
        return {**requests(choice), **({"shown": torch.stack([codes[other] for other in others])} if pictures else {})}

    data, epochs = planned_data(codes, values, run, choice_weights=requests.chances, beside=beside)
    options = {"clip_preprocessing": values.clip_preprocessing, "weights": weights, **planned_rates(values, run)}
    module = HairTraining(network, domain, codes=codes, **options)
    return TrainingPlan(module, data, epochs, learnt_from={"styles": texts[0], "colours": texts[1]})


# -- what is asked for -----------------------------------------------------------------------------------------------
def training_texts(domain: Domain, prompts: Sequence[Prompt] | None, published: bool) -> tuple[list[str], list[str]]:
    """Return the texts of a training: hair styles, and hair colours.

    Args:
        domain: its card's trained prompts about hair are used, unless it has none.
        prompts: train on these instead.
        published: use the authors' lists instead, without what the card holds out.

    Raises:
        UserError: a given prompt is not about hair.
    """
    if prompts is not None:
        asked = [request_of(prompt) for prompt in prompts]
        if not asked or None in asked:
            first = prompts[asked.index(None)].words if asked else "none"
            raise UserError(
                f"prompts: {first!r}: HairCLIP trains on texts about hair style and hair colour, at least one"
            )
        return _apart(asked)
    own = _apart(request_of(prompt) for prompt in domain.training_prompts())
    if any(own) and not published:
        return own
    unseen = domain.prompts("evaluation", trained=False).values()
    # By what is asked, whatever the wording and the form: "grey hair" of a card is the list's "gray hair".
    kept = {request_of(replace(prompt, group=None)) for prompt in unseen} - {None}
    lists = ([f"{style} hairstyle" for style in STYLES], [f"{colour} hair" for colour in COLOURS])
    styles, colours = ([t for t in texts if request_of(Prompt(t, phrase=t)) not in kept] for texts in lists)
    return styles, colours


def _apart(asked: Iterable[Request | None]) -> tuple[list[str], list[str]]:
    there = [request for request in asked if request]
    styles = dict.fromkeys(request.style for request in there if request.style)
    return list(styles), list(dict.fromkeys(request.colour for request in there if request.colour))


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
            raise UserError(
                f"style_probability + colour_probability + both_probability = {1 - none:g}; valid: at most 1"
            )
        shown = values.image_probability if pictures else 0.0
        first, second = ({"text": (1 - shown) * bool(len(texts)), "image": shown} for texts in (styles, colours))
        chances = {(a, b): both * x * y for (a, x), (b, y) in product(first.items(), second.items())}
        chances |= {(a, ""): style * x for a, x in first.items()} | {("", b): colour * y for b, y in second.items()}
        chances = {kind: chance for kind, chance in chances.items() if chance > 0}
        if not chances:
            raise UserError("hairclip: no style or colour can be asked for; valid: texts, with a probability above 0")
        if none > 1e-6:
            chances["", ""] = none
        nothing = styles.new_zeros(1, styles.shape[1])
        self.kinds, self.texts = [*chances], [texts if len(texts) else nothing for texts in (styles, colours)]
        self.chances = torch.tensor([*chances.values()]).repeat(math.prod(map(len, self.texts)))

    def __call__(self, choice: Tensor) -> Batch:
        """Return the requests of choices [B]: text embeddings, zeros if there are none, and masks, by name."""
        kind, pair = choice % len(self.kinds), choice // len(self.kinds)
        styles, colours = map(len, self.texts)
        numbers = pair % styles, (pair % styles + pair // styles) % colours  # so that few choices show all
        found: Batch = {}
        for name, texts, number, forms in zip(_GROUPS, self.texts, numbers, zip(*self.kinds, strict=True), strict=True):
            for form in ("text", "image"):
                found[f"{name}_{form}"] = torch.tensor([float(each == form) for each in forms])[kind]
            found[name] = texts[number] * found[f"{name}_text"][:, None]
        return found


# -- losses ----------------------------------------------------------------------------------------------------------
def lab(images: Tensor) -> Tensor:
    """Convert pictures [B, 3, H, W] in [-1, 1] to L in [0, 100], a and b, [B, 3, H, W].

    By CIE 1976, but for sRGB's gamma, which the released code leaves in.
    """
    r, g, b = (images * 0.5 + 0.5).unbind(dim=1)  # by numbers: a matrix would be copied to the device in every step
    xyz = torch.stack([(x * r + y * g + z * b) / (x + y + z) for x, y, z in _TO_XYZ], dim=1)
    # The clamp keeps the slope of the unused branch finite.
    curved = torch.where(xyz > _THRESHOLD, xyz.clamp(min=_THRESHOLD).pow(1 / 3), 7.787 * xyz + 0.137931)
    x, y, z = curved.unbind(dim=1)
    lightness = torch.where(xyz[:, 1] > _THRESHOLD, 116 * y - 16, 903.3 * xyz[:, 1])
    return torch.stack([lightness, 500 * (x - y), 200 * (y - z)], dim=1)


def mean_lab(images: Tensor, hair: Tensor) -> Tensor:
    """Average Lab over the hair [B, 1, H, W] of pictures [B, 3, H, W]: [B, 3]; 0 where there is none."""
    return (lab(images) * hair).sum(dim=(2, 3)) / hair.sum(dim=(2, 3)).clamp(min=1e-6)


def colour_distance(first: Tensor, second: Tensor) -> Tensor:
    """Mean absolute difference [B] of mean Lab values [B, 3]."""
    return (first - second).abs().mean(dim=1)


def where_asked(values: Tensor, asked: Tensor) -> Tensor:
    """Average over a batch [B] in which values that are not asked for count as 0."""
    return (values * asked).mean()


class HairTraining(CodeModule):
    """The loss of HairCLIP on codes and requests; a batch holds both; ``clip_preprocessing`` is of the text terms."""

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Compute all terms; a term of a condition is a mean over the batch in which other requests count as 0."""
        weights, domain, codes = self.weights, self.domain, batch["codes"]
        asked, shown = [batch[name] for name in _GROUPS], None
        if "shown" in batch:
            shown = self._embed_shown(batch["shown"])
            masks = (batch[f"{name}_image"][:, None] for name in _GROUPS)
            asked = [text + seen * mask for text, seen, mask in zip(asked, shown[0], masks, strict=True)]
        step = STEP * network(codes, *asked)
        edited = domain.generator.synthesize(codes + step)
        terms = {"latent": latent_term(step)}
        if weights["identity"]:
            terms["identity"] = identity_term(self.sources["identity"][batch["index"]], domain.identity.embed(edited))
        if weights["style_text"] or weights["colour_text"]:
            features = self.embed(edited)
            for name in _GROUPS:
                terms[f"{name}_text"] = where_asked(cosine_distance(features, batch[name]), batch[f"{name}_text"])
        if any(weights[name] for name in _SEEN):
            terms |= self._hair_terms(batch, edited, shown)
        return terms

    @torch.no_grad()
    def _embed_shown(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return CLIP's embeddings [2, B, d] and mean Lab [2, B, 3] of the hair of two batches of codes."""
        images = self.domain.generator.synthesize(codes.flatten(0, 1))
        hair = self.domain.network("parser").hair(images)
        seen, colour = embed_hair(self.domain, images, hair), mean_lab(images, hair)
        return seen.unflatten(0, codes.shape[:2]), colour.unflatten(0, codes.shape[:2])

    def _hair_terms(self, batch: Batch, edited: Tensor, shown: tuple[Tensor, Tensor] | None) -> dict[str, Tensor]:
        """Compute the terms that look where hair is; masks of edits have no gradient."""
        parser = self.domain.network("parser")
        with torch.no_grad():
            source = self.domain.generator.synthesize(batch["codes"])
        hair, edited_hair = parser.hair(source), parser.hair(edited)
        colour = mean_lab(edited, edited_hair)
        style_asked, colour_asked = (batch[f"{name}_text"] + batch[f"{name}_image"] for name in _GROUPS)
        moved = colour_distance(colour, mean_lab(source, hair))
        terms = {"background": background_term(source, edited, hair, edited_hair)}
        terms["colour_kept"] = where_asked(moved, style_asked * (1 - colour_asked))
        if shown is not None:
            (style, _), (_, wanted) = shown
            seen = embed_hair(self.domain, edited, edited_hair)
            terms["style_image"] = where_asked(cosine_distance(seen, style), batch["style_image"])
            terms["colour_image"] = where_asked(colour_distance(colour, wanted), batch["colour_image"])
        return terms
