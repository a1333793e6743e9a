"""The Lightning module of editors of codes, whose losses compare edits with the unedited images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textedit_bench.devices import sent
from textedit_bench.models.stylegan2 import images_at_once
from textedit_bench.training.kept import kept, kept_path
from textedit_bench.training.lightning_module import EditorModule
from textedit_bench.training.prepared import computed_by

if TYPE_CHECKING:
    from textedit_bench.domain import Domain
    from textedit_bench.models.clip import Preprocessing

Describe = Callable[[Tensor], Tensor]
"""Images [B, 3, H, W] -> rows [B, ...]."""


class CodeModule(EditorModule):
    """Trains a network that edits codes; what terms need of the unedited images is computed once, before the training.

    Args:
        network: what is trained.
        domain: frozen generator, CLIP and identity network.
        codes: every code of the data module [M, rows, d].
        clip_preprocessing: how images reach CLIP; ``"published"`` or ``"correct"``.
        texts: phrase -> raw CLIP embedding [d], of a training that draws phrases.
        preview_codes: codes whose edits are drawn, [n, rows, d].
        keep_in: folder in which the descriptions of the unedited images are kept for later trainings on these codes;
            None: they are computed anew.
        keep_as: everything besides codes and kind of processor that the descriptions depend on, plain JSON values.
        options: of `EditorModule`; a term of weight 0 costs nothing.

    Attributes:
        sources: name -> `descriptions` of the unedited images, [M, ...], once the training has started.
    """

    sources: dict[str, Tensor]

    def __init__(
        self,
        network: nn.Module,
        domain: Domain,
        *,
        codes: Tensor,
        clip_preprocessing: Preprocessing,
        texts: Mapping[str, Tensor] | None = None,
        preview_codes: Tensor | None = None,
        keep_in: Path | None = None,
        keep_as: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(network, domain, **options)
        self.keep_in, self.keep_as = keep_in, keep_as
        self.codes, self.clip_preprocessing = codes.cpu(), clip_preprocessing
        self.titles, self.texts = list(texts or ()), torch.stack([*texts.values()]).cpu() if texts else torch.empty(0)
        self.preview_codes = codes[:0] if preview_codes is None else preview_codes

    def on_fit_start(self) -> None:
        """Describe the unedited images, once for all steps."""
        super().on_fit_start()
        self._texts_here = self.texts.to(self.device)
        self.sources = self._described()

    def _described(self) -> dict[str, Tensor]:
        wanted = self.descriptions()

        def describe() -> dict[str, Tensor]:
            return describe_unedited(self.domain, self.codes, self.device, wanted)

        if self.keep_in is None or not wanted:
            return describe()
        digest = hashlib.sha256(self.codes.contiguous().numpy().data).hexdigest()
        axes = (digest, self.keep_as, sorted(wanted), computed_by(self.domain))
        path = kept_path(self.keep_in, self.domain, "unedited", *axes)
        found = kept(path, lambda: {name: rows.cpu() for name, rows in describe().items()})
        return {name: sent(rows, self.device) for name, rows in found.items()}

    def descriptions(self) -> dict[str, Describe]:
        """What the terms compare with: name -> from unedited images [B, 3, H, W] to rows [B, ...]."""
        return {"identity": self.domain.identity.embed} if self.weights["identity"] else {}

    def embed(self, images: Tensor) -> Tensor:
        """Raw CLIP features [B, d] of images, as the loss sees them."""
        return self.domain.clip.encode_image(images, preprocessing=self.clip_preprocessing)


@torch.no_grad()
def describe_unedited(
    domain: Domain, codes: Tensor, device: torch.device, wanted: Mapping[str, Describe]
) -> dict[str, Tensor]:
    """Synthesise codes [M, rows, d] and return what ``wanted`` computes of their images, name -> [M, ...]."""
    if not wanted:
        return {}
    chunks: list[dict[str, Tensor]] = []
    for part in codes.split(images_at_once(domain.generator.resolution)):
        images = domain.generator.synthesize(sent(part, device))
        chunks.append({name: describe(images) for name, describe in wanted.items()})
    return {name: torch.cat([chunk[name] for chunk in chunks]) for name in wanted}
