"""Training of the delta mapper on pairs of images, without text, and the relevance matrix of its masks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textedit_bench.errors import UserError
from textedit_bench.files import locked
from textedit_bench.models.stylegan2 import images_at_once
from textedit_bench.prompt import Prompt
from textedit_bench.stylespace.resumable import resumable_sweep
from textedit_bench.stylespace.statistics import Sampling, editable_widths, without_rgb
from textedit_bench.trained import TrainingPlan
from textedit_bench.training import EditorModule, RunOptions, inverted_by, loss_weights
from textedit_bench.training.codes import photo_count, sampled_codes, train_photos
from textedit_bench.training.data import Batch
from textedit_bench.training.kept import kept_path, kept_rows
from textedit_bench.training.planned import planned_data, planned_rates
from textedit_methods.deltaedit.card import CARD, Settings
from textedit_methods.deltaedit.method import relevant, style_offset
from textedit_methods.deltaedit.network import DeltaModel, unit_difference
from textedit_methods.deltaedit.released import load_relevance

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_methods.deltaedit.method import DeltaEdit

log = logging.getLogger(__name__)

_VALIDATION_IMAGES = 256
_PREVIEW_PROMPTS = 8


def plan_training(editor: DeltaEdit, run: RunOptions, prompts: Sequence[Prompt] | None) -> TrainingPlan:
    """Plan one run over pairs of images; prompts appear only in validation pictures."""
    values = editor.values
    shown = list(editor.domain.prompts("development").values() if prompts is None else prompts)
    weights = loss_weights(CARD.name, editor.settings, editor.domain)
    styles, clip = image_features(editor.domain, values, run.seed, run.folder / "features")
    relevance = relevance_matrix(editor.domain, values, run.folder / "relevance")

    def second_images(first: Tensor, second: Tensor) -> Batch:
        return {"start": clip[first], "end": clip[second], "end_styles": styles[second]}

    choices = torch.ones(len(styles))
    data, epochs = planned_data(
        styles, values, run, _VALIDATION_IMAGES, fewer=True, choice_weights=choices, beside=second_images
    )
    module = DeltaTraining(
        editor.seeded_network(run.seed).mapper,
        editor,
        relevance=relevance,
        shown=shown[:_PREVIEW_PROMPTS] if values.num_photos >= run.preview_images else (),
        preview_photos=run.preview_images,
        weights=weights,
        **planned_rates(values, run),
    )
    return TrainingPlan(module, data, epochs)


# -- what it is trained on -------------------------------------------------------------------------------------------
def image_features(domain: Domain, values: Settings, seed: int, folder: Path) -> tuple[Tensor, Tensor]:
    """Compute features of untruncated samples, then of training photos, and cache them.

    CLIP sees a sample's image, and a photo itself, while the style code is that of its inversion: so it will be at
    edit time.

    Args:
        domain: whose generator, inverter, photos and guiding CLIP to use.
        values: how many of both, and how images reach CLIP.
        seed: of the samples.
        folder: where the rows are kept, in a file of their own per content.

    Returns:
        Convolutions' styles, raw, [N, num_styles], and unit CLIP features [N, d]; on the CPU, read as they are needed.

    Raises:
        UserError: more photos than there are, or fewer than two images in all.
    """
    samples, photos = values.num_samples, values.num_photos
    if photos:
        photo_count(domain, photos, "num_photos")
    if samples + photos < 2:
        raise UserError(f"num_samples and num_photos: differences need two images, got {samples + photos}")
    roles = ["generator", "clip"] + (["encoder"] if photos and domain.has("encoder") else [])
    made_by = [domain.digest(role) for role in roles] + ([inverted_by(domain)] if photos else [])
    file = kept_path(
        folder, domain, "features", samples, photos, values.clip_preprocessing, seed, made_by, ending=".npy"
    )
    parts = sum(editable_widths(domain.generator)), domain.clip.embed_dim
    rows = kept_rows(file, (samples + photos, sum(parts)), np.float32, lambda: _rows(domain, values, seed))
    styles, clip = rows.split(parts, dim=1)
    return styles, clip


@torch.no_grad()
def _rows(domain: Domain, values: Settings, seed: int) -> Iterator[Tensor]:
    """Iterate over batches of styles and CLIP features, concatenated."""
    for codes, images in _images(domain, values, seed):
        styles = without_rgb(domain.generator, domain.generator.to_style(codes)).float()
        features = domain.clip.encode_image(images, preprocessing=values.clip_preprocessing).float()
        yield torch.cat([styles, F.normalize(features, dim=-1)], dim=1).cpu()


def _images(domain: Domain, values: Settings, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Iterate over batches of W+ codes and CLIP's input pictures."""
    at_once = images_at_once(domain.generator.resolution)
    for codes in sampled_codes(domain, values.num_samples, seed):
        for part in codes.split(at_once):
            yield part, domain.generator.synthesize(part)
    for photos in train_photos(domain, values.num_photos):
        yield domain.invert(photos).codes, photos.images


def relevance_matrix(domain: Domain, values: Settings, folder: Path) -> Tensor:
    """Return each style channel's direction in CLIP's image space: from ``relevance_file``, or a sweep.

    Source: StyleCLIP (arXiv 2103.17249), sec. 6.2: every channel is set to its mean plus and minus five deviations in
    100 images; a row is the mean unit difference of their embeddings. DeltaEdit reuses that matrix for its mask. The
    base images stay as they are from channel to channel. The released script forgets to restore them; its matrix is
    another one.

    Args:
        domain: generator and guiding CLIP.
        values: how to sweep.
        folder: where what is done is kept, so that a killed sweep goes on and a finished one is read.

    Returns:
        Unit rows [num_styles, d], float32 on the CPU; a channel without any effect has a row of zeros.
    """
    generator, clip = domain.generator, domain.clip
    if values.relevance_file:
        return load_relevance(values.relevance_file, sum(editable_widths(generator)), clip.embed_dim)
    images, width = values.relevance_images, values.relevance_deviations
    sampling = Sampling(samples=values.statistics_samples, truncation=values.truncation)
    made_by = [domain.digest(role) for role in ("generator", "clip")]
    file = kept_path(folder, domain, "relevance", images, width, vars(sampling), made_by)
    log.info("deltaedit: relevance of every style channel, %d images each, kept as %s", images, file)
    with locked(folder):
        return resumable_sweep(generator, clip, sampling, images=images, width=width, state=file).rows.cpu()


# -- the run ---------------------------------------------------------------------------------------------------------
def cosine_term(predicted: Tensor, wanted: Tensor) -> Tensor:
    """Compute one minus the mean cosine of predicted and true differences [B, num_styles]."""
    return 1 - F.cosine_similarity(predicted, wanted, dim=-1).mean()


class DeltaTraining(EditorModule):
    """Predicts the style difference of two images from the first one's style and their CLIP difference.

    A batch's ``codes`` are the styles of the first images, ``start`` their CLIP features, ``end`` and ``end_styles``
    those of the second ones.

    Args:
        network: the mapper.
        editor: whose settings and networks to use.
        relevance: kept with the mapper.
        shown: prompts by which photos are edited in the validation pictures.
        preview_photos: how many photos.
        options: of `EditorModule`.
    """

    def __init__(
        self,
        network: nn.Module,
        editor: DeltaEdit,
        *,
        relevance: Tensor,
        shown: Sequence[Prompt] = (),
        preview_photos: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(network, editor.domain, **options)
        self.editor, self.relevance, self.shown, self.preview_photos = editor, relevance, shown, preview_photos

    def trained_network(self) -> DeltaModel:
        """The model with the mapper to keep."""
        mapper: Any = super().trained_network()
        return DeltaModel(mapper, self.relevance, self.editor.values.clip_preprocessing)

    def terms(self, network: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Compute both terms, and for comparison the error of predicting no difference."""
        styles, start, end = batch["codes"], batch["start"], batch["end"]
        wanted = batch["end_styles"] - styles
        predicted = network(styles, torch.cat([start, unit_difference(end - start)], dim=-1))
        return {
            "mse": F.mse_loss(predicted, wanted),
            "cosine": cosine_term(predicted, wanted),
            "mse_of_zero": wanted.square().mean(),
        }

    def preview(self) -> tuple[list[str], Tensor] | None:
        """Show inversions of some training photos, and their edits by some prompts."""
        if not self.shown or not self.preview_photos:
            return None
        domain, network = self.domain, self.trained_network()
        latents = domain.invert(domain.photos("train", self.preview_photos))
        latents = latents.with_codes(domain.generator.to_style(latents), "s")
        columns = [domain.generator.synthesize_style(latents.codes)]
        for prompt in self.shown:
            difference = self.editor.difference(prompt)
            keep = relevant(self.relevance.to(difference), difference, self.editor.values.threshold)
            offset = style_offset(domain, network, latents, difference, keep)
            columns.append(domain.generator.synthesize_style(latents.codes + offset))
        return ["inversion", *(prompt.words for prompt in self.shown)], torch.stack(columns, dim=1)
