"""Effect against preservation: curves over all strengths, and preservation at matched effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from textedit_bench.metrics.column import AXES, OK
from textedit_bench.metrics.statistics.tradeoff import QUARTERS, Measure, compare
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look
from textedit_bench.report.formats import escape, table_lines, with_interval
from textedit_bench.report.rows import PERCENT, TRAINED, RowCells, column_specs
from textedit_bench.seeds import seed_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


KEYS = ("dataset", "prompt_set", "method", "title", "effect", "kept", "reference")
MEASURES = (*(f"kept_at_{100 * share:.0f}" for share in QUARTERS), "area", "reach")
_ENDS = ("", "_low", "_high")


def tradeoff_frame(collected: Sequence[ComparableCells]) -> pd.DataFrame:
    """Return one row per method and prompt set: preservation at 25, 50 and 75 % of the common effect, area, reach.

    Controls are not compared: they do not reach any effect. Effect and preservation are the first pair of
    `textedit_bench.metrics.column.AXES` that was measured.
    """
    entries = []
    for part in collected:
        rows = [row for row in part.rows if not row.control]
        for prompt_set in dict.fromkeys(row.prompt_set for row in rows):
            block = [row for row in rows if row.prompt_set == prompt_set]
            entries += _block(part, [row for row in block if row.prompts == _all_prompts(block)])
    return pd.DataFrame(entries, columns=[*KEYS, *(f"{name}{end}" for name in MEASURES for end in _ENDS)])


def _all_prompts(rows: Sequence[RowCells]) -> tuple[str, ...]:
    return tuple(sorted({prompt for row in rows for prompt in row.prompts}))


def _block(part: ComparableCells, rows: Sequence[RowCells]) -> list[dict[str, object]]:
    """Return entries of rows that have every prompt of their block."""
    for effect, kept in AXES:
        cubes = [(_cube(row, effect, part.images), _cube(row, kept, part.images)) for row in rows]
        # A curve needs effect and preservation at every strength.
        usable = [i for i, pair in enumerate(cubes) if all(np.isfinite(c).any((1, 2)).all() for c in pair)]
        if not usable:
            continue
        seed = seed_of(tradeoff=part.dataset, prompts=len(rows[0].prompts)) % 2**32
        found = compare(np.stack([cubes[i][0] for i in usable]), np.stack([cubes[i][1] for i in usable]), seed=seed)
        measures = dict(zip(MEASURES, [*found.matched.values(), found.area, found.reach], strict=True))
        return [
            _entry(part.dataset, rows[row], (effect, kept), found.reference, measures, position)
            for position, row in enumerate(usable)
        ]
    return []


def _entry(
    dataset: str,
    row: RowCells,
    axes: tuple[str, str],
    reference: float,
    measures: dict[str, Measure],
    position: int,
) -> dict[str, object]:
    keys = (dataset, row.prompt_set, row.method, row.title, *axes, reference)
    entry: dict[str, object] = dict(zip(KEYS, keys, strict=True))
    for name, measure in measures.items():
        for end, values in zip(_ENDS, (measure.point, measure.low, measure.high), strict=True):
            entry[f"{name}{end}"] = float(values[position])
    return entry


def _cube(row: RowCells, metric: str, images: Sequence[str]) -> np.ndarray:
    """Return values [strengths, prompts, images] of a metric, nan if the state is not ok."""
    frames = [cell.records() for cell in row.cells]
    records = pd.concat([f[(f["metric"] == metric) & (f["state"] == OK)] for f in frames], ignore_index=True)
    layers = []
    for strength in row.cells[0].identity.strengths:
        wide = records[records["strength"] == strength].pivot(index="prompt_id", columns="image", values="value")
        layers.append(wide.reindex(index=list(row.prompts), columns=list(images)).to_numpy(np.float64))
    return np.stack(layers)


def tradeoff_markdown(frame: pd.DataFrame) -> str:
    """Render the comparison as Markdown."""
    heads = ["Method", *(f"Kept at {100 * s:.0f} %" for s in QUARTERS), "Area ↑", "Reach ↑"]
    lines = ["# Comparison at matched effect", ""]
    for (dataset, prompt_set, effect, kept), rows in frame.groupby(
        ["dataset", "prompt_set", "effect", "kept"], sort=False
    ):
        reference = rows["reference"].iloc[0]
        cells = [
            [escape(r["title"]), *(with_interval(r[n], r[f"{n}_low"], r[f"{n}_high"], ".3f") for n in MEASURES)]
            for r in rows.to_dict("records")
        ]
        lines += [
            f"**{escape(dataset)}, {prompt_set} prompts**: {effect} (effect) against {kept}. All rows reach an effect "
            f"of {reference:.3f}; the first columns show what is kept at 25, 50 and 75 % of it.",
            "",
            *table_lines(heads, cells),
            "",
        ]
    lines.append(
        "Kept: on the upper envelope of the method's strength curve. Area: mean of the envelope over the effects that "
        "every row reaches. Reach: the largest mean effect over the strengths. Brackets: 95 % intervals of whole "
        "curves, resampled over prompts and images alike for every row."
    )
    return "\n".join(lines) + "\n"


_LINES = ("--", ":", "-.")
_LONGEST = 34


def draw_curves(
    collected: ComparableCells, looks: Mapping[str, Look], prompt_set: str = TRAINED, *, width: float = 580
) -> Figure | None:
    """Draw the curves of a data set's methods; None if no pair of metrics was measured.

    Each point is one strength, the ring the method's default; up and to the right is better. Controls are grey;
    those that copy a method's steps or edits are excluded, since there is one per method.
    """
    rows = [row for row in collected.rows if row.prompt_set == prompt_set and not row.matched]
    for axes in AXES:
        points = [(row, row.curve(axes)) for row in rows]
        drawn = [(row, frame) for row, frame in points if not frame.empty]
        scales = [100.0 if name in PERCENT else 1.0 for name in axes]
        drawn = [(row, frame * scales) for row, frame in drawn]
        if drawn:
            return _draw(collected, drawn, axes, looks, width)
    return None


def _draw(
    collected: ComparableCells,
    drawn: Sequence[tuple[RowCells, pd.DataFrame]],
    axes: tuple[str, str],
    looks: Mapping[str, Look],
    width: float,
) -> Figure:
    effect, kept = (spec.title for spec in column_specs(collected.cells[0].manifest.protocols, axes))
    names = canvas.names_width([row.title for row, _ in drawn], _LONGEST) + 18
    below = width < 2.2 * names  # no room next to the lines
    height = max(300.0, 16.0 * len(drawn) + 20)
    figure = canvas.blank(width, height + 46 + (15.0 * len(drawn) + 8 if below else 0))
    axis = canvas.place(figure, 50, 8, width - 58 - (0 if below else names), height)
    axis.grid(axis="y", color=COLOURS["line"], linewidth=1)
    ends = []
    for number, (row, frame) in enumerate(drawn):
        look = Look(COLOURS["soft"], "o") if row.control else looks[row.title]
        ends.append((row, look, frame.iloc[-1]))
        frame = frame.set_axis([effect, kept], axis=1)
        _line(axis, row, frame, collected.dataset, look, _LINES[number % len(_LINES)] if row.control else "-")
    axis.margins(0.04)
    canvas.caption(axis, f"{effect} (effect)", f"{kept} (kept)")
    low, high = axis.get_ylim()
    axis.autoscale(False)
    line, beside = (high - low) * 15 / height, axis.get_yaxis_transform()
    if below:
        top = low - (high - low) * 56 / height
        places = [(top - i * line, 0.06) for i in range(len(ends))]
    else:
        wanted = [float(end[axes[1]]) for _, _, end in ends]
        places = [(y, 1.03) for y in canvas.spread(wanted, line, low, high)]
    for (row, look, end), (y, x) in zip(ends, places, strict=True):
        if not below:
            start = (float(end[axes[0]]), float(end[axes[1]]))
            target = axis.transData.inverted().transform(axis.transAxes.transform((x - 0.008, 0)))[0]
            (to,) = axis.plot([start[0], target], [start[1], y], color=look.colour, lw=0.6, alpha=0.5, clip_on=False)
            canvas.tell(to, row.title, method=row.title)
        words = axis.text(x, y, canvas.plain(canvas.shorten(row.title, _LONGEST)), transform=beside, va="center")
        words.set(size=canvas.NORMAL, color=look.colour)
        canvas.tell(words, row.title, method=row.title)
        if below:
            (key,) = axis.plot(x - 0.03, y, look.marker, color=look.colour, ms=5, transform=beside, clip_on=False)
            canvas.tell(key, row.title, method=row.title)
    return figure


def _line(axis: Axes, row: RowCells, frame: pd.DataFrame, dataset: str, look: Look, style: str) -> None:
    x, y = frame.columns
    alpha = 0.8 if row.control else 1
    (line,) = axis.plot(frame[x], frame[y], color=look.colour, linestyle=style, linewidth=1.8, alpha=alpha)
    canvas.tell(line, row.title, method=row.title)
    for strength, values in frame.iterrows():
        (mark,) = axis.plot(values[x], values[y], look.marker, color=look.colour, markersize=5, zorder=3)
        said = f"{row.title}, strength {strength:g}: {x} {values[x]:.3g}, {y} {values[y]:.3g}"
        canvas.tell(mark, said, dataset=dataset, method=row.title, strength=float(str(strength)))
        if strength == row.strength:
            (ring,) = axis.plot(values[x], values[y], "o", markersize=11, mfc="none", color=look.colour, zorder=2)
            canvas.tell(ring, f"{said} (default)", dataset=dataset, method=row.title, strength=row.strength)
