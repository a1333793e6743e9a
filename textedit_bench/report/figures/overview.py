"""Draw an overview: a panel per metric, a point with interval per method, controls as bands and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from textedit_bench.report.columns import ColumnSpec
from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look
from textedit_bench.report.rows import TRAINED, UNSEEN

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = ("success", "preservation", "clip_score", "identity", "lpips", "kid_real", "fid_real")
"""Metrics of the chart; where they are fewer than fit, the CLIP direction is added."""
_ROW, _TOP, _BOTTOM, _GAP, _LEGEND = 21.0, 26.0, 24.0, 14.0, 16.0
_ACROSS = 6
"""Panels side by side on a wide page."""
_CONTROLS: tuple[Any, ...] = ("-", "--", ":", "-.")


def shown_columns(columns: Sequence[ColumnSpec]) -> list[ColumnSpec]:
    """Return the metrics of the chart and of the pairwise tests."""
    few = sum(spec.name in SHOWN for spec in columns) < _ACROSS
    return [spec for spec in columns if spec.name in SHOWN or (few and spec.name == "clip_direction")]


def draw_overview(
    frame: pd.DataFrame, columns: Sequence[ColumnSpec], looks: Mapping[str, Look], *, width: float = 800
) -> Figure | None:
    """Draw one data set's chart; None without a method.

    Args:
        frame: its rows of the comparison table; those of another prompt set become ticks.
        columns: one panel each, those of `shown_columns`.
        looks: of its methods.
        width: pixels; below 400 there are two panels side by side.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    block = frame[
        frame["prompt_set"] == (TRAINED if (frame["prompt_set"] == TRAINED).any() else frame["prompt_set"].iloc[0])
    ]
    methods = block[~block["control"].astype(bool)]
    if methods.empty or not columns:
        return None
    lead = columns[0]
    methods = methods.sort_values([lead.name, "title"], ascending=[not lead.higher_is_better, True], kind="stable")
    titles = list(methods["title"])
    others = frame[(frame["prompt_set"] != block["prompt_set"].iloc[0]) & frame["title"].isin(titles)]
    kind = "unseen prompts" if UNSEEN in set(others["prompt_set"]) else "published"
    controls = _controls(block)
    soft = COLOURS["soft"]
    handles: list[Artist] = [Line2D([], [], color=soft, marker="o", label="mean with 95 % interval; number: best mean")]
    if methods[[f"{spec.name}_best" for spec in columns]].any(axis=None):
        handles = [
            Line2D([], [], color=soft, marker="o", label="best (number), or not told apart; 95 % interval"),
            Line2D([], [], color=soft, marker="o", mfc=COLOURS["card"], label="worse than the best"),
        ]
    if len(others):
        handles.append(Line2D([], [], color=soft, marker="|", markersize=9, linewidth=0, label=kind))
    for number, (name, rows) in enumerate(controls.items()):
        line = Line2D([], [], color=soft, linestyle=_CONTROLS[number % len(_CONTROLS)], label=canvas.plain(name))
        handles.append(line if len(rows) == 1 else Patch(color=_band(number), label=canvas.plain(f"{name}: range")))
    longest, across = (26, min(len(columns), _ACROSS)) if width > 400 else (17, min(len(columns), 2))
    left = canvas.names_width(titles, longest)
    deep, legend = -(-len(columns) // across), -(-len(handles) // max(1, int(width // 260)))
    inner = (width - left - 8 - (across - 1) * _GAP) / across
    height = deep * (_TOP + _ROW * len(titles) + _BOTTOM) + 8 + _LEGEND * legend
    figure = canvas.blank(width, height)
    for i, spec in enumerate(columns):
        down, right = divmod(i, across)
        top = down * (_TOP + _ROW * len(titles) + _BOTTOM) + _TOP
        axis = canvas.place(figure, left + right * (inner + _GAP), top, inner, _ROW * len(titles))
        _panel(axis, spec, methods, (kind, others), controls, looks, inner + _GAP)
        if right == 0:
            canvas.name_rows(axis, titles, longest)
        else:
            axis.set_yticks([])
        axis.set_ylim(len(titles) - 0.5, -0.5)
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 0), ncols=max(1, int(width // 260)), frameon=False,
        fontsize=canvas.SMALL, labelcolor=soft, handlelength=1.6, borderaxespad=0, borderpad=0.2,
    )  # fmt: skip
    return figure


def _controls(block: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return name of a control -> its rows; a control that copies methods has one per method."""
    rows = block[block["control"].astype(bool)]
    return {str(own["title"].iloc[0]).split(", ")[0]: own for _, own in rows.groupby("method", sort=True)}


def _band(number: int) -> str:
    return COLOURS["line"] if number % 2 else COLOURS["band"]


def _panel(
    axis: Axes,
    spec: ColumnSpec,
    methods: pd.DataFrame,
    others: tuple[str, pd.DataFrame],
    controls: Mapping[str, pd.DataFrame],
    looks: Mapping[str, Look],
    room: float,
) -> None:
    canvas.head(axis, f"{spec.title} {spec.arrow}", int(room / 5.5))
    scale = 100.0 if spec.percent else 1.0
    for number, (name, rows) in enumerate(controls.items()):
        low, high = (scale * value for value in (rows[spec.name].min(), rows[spec.name].max()))
        if low != low:
            continue
        said = f"{name}: {spec.title} {spec.text(low / scale)}"
        if len(rows) > 1:
            canvas.tell(
                axis.axvspan(low, high, color=_band(number), linewidth=0, zorder=0),
                f"{said} to {spec.text(high / scale)}",
            )
        else:
            style = _CONTROLS[number % len(_CONTROLS)]
            canvas.tell(axis.axvline(low, color=COLOURS["soft"], linewidth=1.1, linestyle=style, zorder=1), said)
    tested, (kind, beside) = bool(methods[f"{spec.name}_best"].any()), others
    for y, row in enumerate(methods.to_dict("records")):
        point, low, high = (scale * row[f"{spec.name}{end}"] for end in ("", "_low", "_high"))
        if point != point:
            continue
        look = looks[row["title"]]
        said = f"{row['title']}: {spec.title} {spec.text(point / scale)}"
        if low == low:
            axis.plot([low, high], [y, y], color=look.colour, linewidth=1.8, solid_capstyle="round", zorder=2)
            said += f" [{spec.text(low / scale)}, {spec.text(high / scale)}]"
        face = look.colour if row[f"{spec.name}_best"] or not tested else COLOURS["card"]
        (mark,) = axis.plot(
            point, y, look.marker, color=look.colour, mfc=face, markersize=6.5, markeredgewidth=1.6, zorder=4
        )
        canvas.tell(mark, said)
        other = beside.loc[beside["title"] == row["title"], spec.name]
        if len(other) and other.iloc[0] == other.iloc[0]:
            value = float(other.iloc[0])
            (tick,) = axis.plot(scale * value, y, "|", color=look.colour, markersize=10, markeredgewidth=1.6, zorder=3)
            canvas.tell(tick, f"{row['title']}, {kind}: {spec.title} {spec.text(value)}")
    # A mean over fewer prompts is none of the same thing.
    prompts = methods.get("prompts", pd.Series(0, methods.index))
    means = methods[spec.name].where(prompts == prompts.max()).reset_index(drop=True)
    if means.notna().any():
        y = int(means.idxmax() if spec.higher_is_better else means.idxmin())
        axis.annotate(
            spec.text(means[y]), (scale * means[y], y), (0, 5 if y else -5), textcoords="offset points", ha="center",
            va="bottom" if y else "top", fontsize=canvas.SMALL - 1, zorder=5,
            color=looks[methods["title"].iloc[y]].colour,
        )  # fmt: skip
    for y in range(len(methods)):
        axis.axhline(y, color=COLOURS["line"], linewidth=0.6, zorder=0)
    axis.margins(x=0.06)
    axis.locator_params(axis="x", nbins=3)
    axis.xaxis.set_major_formatter(lambda x, _: f"{x:g}" if abs(x) < 1000 else f"{x / 1000:g}k")
