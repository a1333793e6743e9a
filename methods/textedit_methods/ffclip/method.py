"""The FFCLIP editor: one mapper for all phrases."""

from __future__ import annotations

import torch
from torch import Tensor

from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt
from textedit_bench.trained import TrainedOffsetEditor
from textedit_methods.ffclip.card import CARD, Settings
from textedit_methods.ffclip.network import DynamicMapper
from textedit_methods.ffclip.released import RELEASED

_CHUNK = 16


class FFCLIP(TrainedOffsetEditor[DynamicMapper, Settings]):
    """Edited code = code + strength * mapper(code, text embedding)."""

    info = CARD
    network_type = DynamicMapper
    released = RELEASED

    def offset(self, latents: Latents, prompt: Prompt) -> Tensor:
        """Return the offset at strength 1, [B, rows, d].

        Computed in double precision where the device has it: in single precision the row norm can enlarge rounding
        errors so far that an image's edit would depend on the batch it is in.
        """
        codes = latents.codes
        precise = torch.float32 if codes.device.type == "mps" else torch.float64
        network = self.network.to(codes.device, precise)
        text = self.embed_text(prompt.words).to(codes.device, precise)
        parts = [network(part.to(precise), text.expand(len(part), -1)) for part in codes.split(_CHUNK)]
        return torch.cat(parts).to(codes.dtype) if parts else torch.zeros_like(codes)

    def check_fits(self, network: DynamicMapper, source: str) -> None:
        """Refuse a mapper for another generator."""
        generator = self.domain.generator
        if (network.rows, network.dim) != (generator.num_rows, generator.w_dim):
            raise UserError(
                f"{source}: this mapper edits codes of {network.rows} rows and width {network.dim}; "
                f"{self.domain.name} has {generator.num_rows} rows and width {generator.w_dim}"
            )

    def new_network(self) -> DynamicMapper:
        """Create an untrained mapper; refuses a CLIP whose width is not that of W."""
        generator, clip = self.domain.generator, self.domain.clip
        if clip.embed_dim != generator.w_dim:
            raise UserError(
                f"ffclip needs a CLIP whose width is that of W: {self.domain.name}, tier {self.domain.tier}, has "
                f"{clip.embed_dim} and {generator.w_dim}"
            )
        slope, scale = self.values.final_slope, self.values.start_scale
        return DynamicMapper(generator.num_rows, generator.w_dim, final_slope=slope, start_scale=scale)
