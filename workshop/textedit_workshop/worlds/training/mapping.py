"""The mini generator's mapping network z -> w, constructed analytically instead of trained.

The factors of a picture are step functions of normal numbers, and a step is two leaky ReLUs. So four layers of the
mapping network can hold the exact map: ramps at every threshold, products for correlated attributes, the rotation into
W, and the inverse of the last activation. Two more activations, which bend W, were tried and left out.
Regression of the same network was tried first: after 5,000 steps of 512 its error was still 0.49 of a variance of 1.1
per coordinate, and samples were mixtures of attribute values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from textedit_bench.models.stylegan2 import Generator
from textedit_bench.worlds.world import Attribute, FactorSpace
from textedit_workshop.worlds.embedding import FactorEmbedding
from textedit_workshop.worlds.latent import LatentFactors


@dataclass(frozen=True)
class Shape:
    """The form of the mapping from z to w.

    Attributes:
        sharpness: steepness of a ramp: values mix within 1 / sharpness of a standard deviation around a threshold.
    """

    sharpness: float = 30.0


SHAPES = {
    "sharp": Shape(),
    "firm": Shape(sharpness=3.5),
    "soft": Shape(sharpness=2.5),
}
SHAPE = "soft"
"""The shape of a world's generator where neither the training nor `SHAPE_OF` names another."""
SHAPE_OF = {"cats": "firm"}
"""By world. Of two mixed fur colours the oracle reads the one between them: softer, and that one is too frequent."""

DEPTH = 4
SLOPE = 0.2
HINGES = (-8.0, -1.25, 1.25)
"""Kinks of the piecewise linear form of the normal distribution function."""


class _Layer:
    """Rows of one linear layer, added one unit at a time."""

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.rows: list[Tensor] = []
        self.biases: list[float] = []

    def add(self, row: Tensor, bias: float) -> int:
        """Add a unit leaky_relu(row . x + bias), and return its index."""
        self.rows.append(row)
        self.biases.append(bias)
        return len(self.rows) - 1


class _Affine:
    """A weighted sum of the units of the previous layer, plus a constant."""

    def __init__(self, size: int, terms: dict[int, float] | None = None, constant: float = 0.0) -> None:
        self.row = torch.zeros(size, dtype=torch.float64)
        for index, weight in (terms or {}).items():
            self.row[index] += weight
        self.constant = constant

    def plus(self, other: _Affine, weight: float = 1.0, constant: float = 0.0) -> _Affine:
        """Add ``weight`` times another, plus a constant."""
        result = _Affine(len(self.row), None, self.constant + weight * other.constant + constant)
        result.row = self.row + weight * other.row
        return result


def set_mapping(generator: Generator, embedding: FactorEmbedding, latent: LatentFactors, shape: Shape) -> None:
    """Write the mapping of a form into ``generator.style``.

    Raises:
        ValueError: the network has another depth, or is too narrow for the world.
    """
    if generator.n_mlp != DEPTH:
        raise ValueError(f"the mapping is written into {DEPTH} layers, this network has {generator.n_mlp}")
    width = generator.w_dim
    first, ramps, curves = _first_layer(latent, width, shape.sharpness)
    second, above, uniforms = _second_layer(embedding.space, ramps, curves, width)
    rows, constants = _factor_vector(embedding.space, above, uniforms, width)
    last = _linear_layers(embedding, rows, constants)
    layers = [module for module in generator.style if hasattr(module, "weight")]
    for module, layer in zip(layers, (first, second, *last), strict=True):
        if len(layer.rows) > width:
            raise ValueError(f"the world needs {len(layer.rows)} units, the mapping network has {width} per layer")
        weight = torch.zeros(width, layer.inputs, dtype=torch.float64)
        bias = torch.zeros(width, dtype=torch.float64)
        weight[: len(layer.rows)] = torch.stack(layer.rows)
        bias[: len(layer.biases)] = torch.tensor(layer.biases, dtype=torch.float64)
        # Stored weights are scaled by lr_mul / sqrt(inputs) and biases by lr_mul at run time; the activation has gain
        # sqrt(2), which a leaky ReLU lets through.
        scale = generator.mapping_lr_mul * 2.0**0.5
        with torch.no_grad():
            module.weight.copy_(weight * layer.inputs**0.5 / scale)  # type: ignore[operator]
            module.bias.copy_(bias / scale)  # type: ignore[operator]


def thresholds(attribute: Attribute, weights: Sequence[float]) -> list[float]:
    """Return normal numbers at which the attribute changes its value."""
    edges = torch.tensor(weights, dtype=torch.float64).cumsum(0)[:-1]
    return torch.special.ndtri(edges).tolist()


def _tables(space: FactorSpace, attribute: Attribute) -> list[tuple[float, ...]]:
    """Return weights of the attribute under every value of its parent; one table if it has none."""
    if attribute.given is None:
        return [attribute.weights]
    parent, given = attribute.given
    count = len(space.attributes[space.index(parent)].values)
    if count != 2:
        raise ValueError(f"{attribute.name} depends on {parent}, which has {count} values; only two are supported")
    return [given.get(value, attribute.weights) for value in range(count)]


def _first_layer(
    latent: LatentFactors, width: int, sharpness: float
) -> tuple[_Layer, dict[tuple[int, int, int], _Affine], list[_Affine]]:
    """Ramps (attribute, table, threshold) -> 0..1, and the distribution function of every continuous factor."""
    space, layer = latent.space, _Layer(latent.matrix.shape[0])
    ramps: dict[tuple[int, int, int], _Affine] = {}
    for a, attribute in enumerate(space.attributes):
        axis = latent.matrix[:, a] * sharpness
        for t, table in enumerate(_tables(space, attribute)):
            for k, threshold in enumerate(thresholds(attribute, table)):
                # Both saturate: the difference of the two units is SLOPE below the ramp and 1 above it.
                upper = layer.add(axis, 0.5 - sharpness * threshold)
                lower = layer.add(axis, -0.5 - sharpness * threshold)
                gain = 1.0 / (1.0 - SLOPE)
                ramps[a, t, k] = _Affine(width, {upper: gain, lower: -gain}, -SLOPE * gain)
    weights, constant = _distribution_function()
    curves = []
    for c in range(len(space.attributes), space.count):
        units = [layer.add(latent.matrix[:, c], -hinge) for hinge in HINGES]
        curves.append(_Affine(width, dict(zip(units, weights, strict=True)), constant))
    return layer, ramps, curves


def _distribution_function() -> tuple[list[float], float]:
    """Least-squares weights of the hinges, and a constant, for the normal distribution function."""
    x = torch.linspace(-3.5, 3.5, 1401, dtype=torch.float64)
    density = torch.exp(-(x**2) / 4.0)[:, None]
    columns = [torch.nn.functional.leaky_relu(x - hinge, SLOPE) for hinge in HINGES]
    basis = torch.stack([*columns, torch.ones_like(x)], 1)
    solved = torch.linalg.lstsq(basis * density, torch.special.ndtr(x)[:, None] * density).solution[:, 0].tolist()
    return solved[:-1], solved[-1]


def _second_layer(
    space: FactorSpace, ramps: dict[tuple[int, int, int], _Affine], curves: list[_Affine], width: int
) -> tuple[_Layer, list[list[_Affine]], list[_Affine]]:
    """Per attribute the indicators "value above k", per continuous factor its uniform number; all within [0, 1]."""
    layer = _Layer(width)

    def passed(value: _Affine) -> _Affine:
        # Values are not negative, so the activation lets them through.
        return _Affine(width, {layer.add(value.row, value.constant): 1.0})

    above: list[list[_Affine]] = []
    for a, attribute in enumerate(space.attributes):
        count = len(attribute.values) - 1
        if attribute.given is None:
            above.append([passed(ramps[a, 0, k]) for k in range(count)])
            continue
        p = space.index(attribute.given[0])
        is_second, kept = ramps[p, 0, 0], above[p][0]
        indicators = []
        for k in range(count):
            total = _Affine(width)
            for table in (0, 1):
                ramp = ramps[a, table, k]
                chosen = is_second if table else _Affine(width, None, 1.0).plus(is_second, -1.0)
                kept_chosen = kept if table else _Affine(width, None, 1.0).plus(kept, -1.0)
                # leaky(x + y - 1) minus its leak is "x and y" for x, y in {0, 1}.
                both = chosen.plus(ramp, constant=-1.0)
                unit = _Affine(width, {layer.add(both.row, both.constant): 1.0})
                leak = kept_chosen.plus(passed(ramp), constant=-1.0)
                total = total.plus(unit.plus(leak, -SLOPE), 1.0 / (1.0 - SLOPE))
            indicators.append(total)
        above.append(indicators)
    return layer, above, [passed(curve) for curve in curves]


def _factor_vector(
    space: FactorSpace, above: list[list[_Affine]], uniforms: list[_Affine], width: int
) -> tuple[Tensor, Tensor]:
    """The factor vector as rows [vector_size, width] over the second layer's units, and constants [vector_size]."""
    entries: list[_Affine] = []
    for attribute, indicators in zip(space.attributes, above, strict=True):
        levels = [_Affine(width, None, 1.0), *indicators, _Affine(width)]
        for k in range(len(attribute.values)):
            one_hot = levels[k].plus(levels[k + 1], -1.0, constant=-1.0 / len(attribute.values))
            entries.append(_Affine(width).plus(one_hot, 2.0**0.5))
    for uniform in uniforms:
        entries.append(_Affine(width).plus(uniform, 12.0**0.5, constant=-0.5 * 12.0**0.5))
    rows = torch.stack([entry.row for entry in entries])
    return rows, torch.tensor([entry.constant for entry in entries], dtype=torch.float64)


def _linear_layers(embedding: FactorEmbedding, rows: Tensor, constants: Tensor) -> tuple[_Layer, _Layer]:
    """Rotation into W, and the inverse of the activation that ends the network."""
    matrix = embedding.matrix.double()
    width = matrix.shape[1]
    third, fourth = _Layer(width), _Layer(width)
    for column in matrix.T:
        unit = third.add(-(column @ rows), -float(column @ constants))
        # leaky(-leaky(-x) / SLOPE) = x for both signs.
        fourth.add(_Affine(width, {unit: -1.0 / SLOPE}).row, 0.0)
    return third, fourth
