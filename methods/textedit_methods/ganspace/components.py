"""Principal components of W, and the three forms of an edit along one of them.

Source: Härkönen, Hertzmann, Lehtinen, Paris 2020, and their code (``notebook_utils.py``, ``figure_teaser.ipynb``).
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

Form = Literal["offset", "centred", "absolute", "inverted"]


class Components(nn.Module):
    """Principal directions of W with their standard deviations.

    Args:
        mean: centre of W, [w_dim].
        comp: one direction per row, [k, w_dim]; the edits need no orthogonality.
        std: standard deviation of samples along each of them, [k].
    """

    mean: Tensor
    comp: Tensor
    std: Tensor

    def __init__(self, mean: Tensor, comp: Tensor, std: Tensor) -> None:
        super().__init__()
        for name, value in (("mean", mean), ("comp", comp), ("std", std)):
            self.register_buffer(name, value)

    def forward(
        self, codes: Tensor, component: int, start: int, end: int, deviations: float, form: Form = "offset"
    ) -> Tensor:
        """Move rows from ``start`` to before ``end`` of W+ codes [B, rows, w_dim]; arguments as `offset`."""
        moved = codes.clone()
        moved[:, start:end] += self.offset(codes, component, deviations, form)
        return moved

    def offset(self, codes: Tensor, component: int, deviations: float, form: Form = "offset") -> Tensor:
        """Compute the offset of each edited row, [B or 1, 1, w_dim].

        Args:
            codes: W+ [B, rows, w_dim]; where a code is along the component, its first row says.
            component: number of the direction.
            deviations: how far, in standard deviations of the component.
            form: ``offset``: from the code. ``centred``: from its projection to where the component is 0. ``absolute``:
                TO that coordinate. ``inverted``: to the coordinate on the other side of the centre than the code's.
        """
        direction, std = self.comp[component].to(codes), self.std[component].to(codes)
        whole = (deviations * std * direction)[None, None]
        if form == "offset":
            return whole
        product = (codes[:, :1] - self.mean.to(codes)) @ direction  # [B, 1]
        if form == "centred":  # as the figures' helper does, which normalises the direction
            return whole - (product / (direction.square().sum() + 1e-8))[..., None] * direction
        if form == "inverted":
            whole = -product.sign()[..., None] * whole
        return whole - product[..., None] * direction


def spread(comp: Tensor, samples: Tensor) -> Tensor:
    """Compute the standard deviation (n) of samples [n, w_dim] along each component, [k], the unit of edits."""
    return (samples.to(comp) @ comp.T).std(0, correction=0)
