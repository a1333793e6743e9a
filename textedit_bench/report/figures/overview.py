"""Draw an overview: a panel per metric, a point with interval and number per method, controls as bands and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Any

import pandas as pd

from textedit_bench.report.figures import canvas
from textedit_bench.report.figures.canvas import COLOURS, Look
from textedit_bench.report.rows import TRAINED, UNSEEN, ColumnSpec

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = ("success", "preservation", "clip_score", "identity", "lpips", "kid_real", "fid_real")
"""Metrics of the chart; where they are fewer than fit, the CLIP direction is added."""
_ROW, _TOP, _BOTTOM, _GAP, _LEGEND, _VALUE, _CHANGE, _KEY, _MEAN = 21.0, 36.0, 22.0, 10.0, 16.0, 15.0, 38.0, 28.0, 36.0
_ACROSS = 6
"""Panels side by side on a wide page."""
_SOFT = COLOURS["soft"]
_LINES = [{"color": _SOFT, "lw": 1.1, "linestyle": style} for style in ("-", "--", "-.", (0, (6, 2, 1, 2, 1, 2)))]
_BANDS = [{"color": COLOURS["line"], "lw": 0}, {"fill": False, "edgecolor": _SOFT, "lw": 1.1, "linestyle": (0, (1, 2))}]
_Controls = Mapping[str, tuple[pd.DataFrame, Mapping[str, Any]]]


def shown_columns(columns: Sequence[ColumnSpec]) -> list[ColumnSpec]:
    """Return the metrics of the chart and of the pairwise tests."""
    few = sum(spec.name in SHOWN for spec in columns) < _ACROSS
    return [spec for spec in columns if spec.name in SHOWN or (few and spec.name == "clip_direction")]


def draw_overview(
    frame: pd.DataFrame, columns: Sequence[ColumnSpec], looks: Mapping[str, Look], *, width: float = 880
) -> Figure | None:
    """Draw one data set's chart; None without a method.

    Args:
        frame: its rows of the comparison table; those of another prompt set become small marks.
        columns: one panel each, those of `shown_columns`.
        looks: of its methods.
        width: pixels; below 400 there are two panels side by side.
    """
    from matplotlib.lines import Line2D

    block = frame[
        frame["prompt_set"] == (TRAINED if (frame["prompt_set"] == TRAINED).any() else frame["prompt_set"].iloc[0])
    ]
    methods = block[~block["control"].astype(bool)]
    if methods.empty or not columns:
        return None
    lead, prompts = columns[0], methods.get("prompts", pd.Series(0, methods.index))
    whole = prompts == prompts.max()  # a mean over fewer prompts is none of the same thing
    methods = methods.assign(whole=whole, leading=methods[lead.name].where(whole), of=prompts.max())
    methods = methods.sort_values(["leading", "title"], ascending=[not lead.higher_is_better, True], kind="stable")
    titles = list(methods["title"])
    rows = methods.to_dict("records")
    names = [r["title"] if r["whole"] else f"{r['title']} ({r['prompts']} of {r['of']} prompts)" for r in rows]
    others = frame[(frame["prompt_set"] != block["prompt_set"].iloc[0]) & frame["title"].isin(titles)]
    unseen = UNSEEN in set(others["prompt_set"])
    kind = "unseen prompts" if unseen else "published"
    controls = _controls(block)
    mark = partial(Line2D, [], [], color=_SOFT, marker="o")
    handles: list[Artist] = [mark(label="mean with 95 % interval")]
    if methods[[f"{spec.name}_best" for spec in columns]].any(axis=None):
        told = mark(label="best, or not told apart; 95 % interval")
        handles = [told, mark(mfc=COLOURS["card"], label="worse than the best")]
    if any(looks[title].marker != "o" for title in titles):
        handles.append(mark(marker="s", linewidth=0, label="same colour, other shape: another method"))
    if len(others):
        words = f"{kind}; their column: the change" if unseen else kind
        handles.append(mark(marker="d", mfc=COLOURS["card"], markersize=5, linewidth=0, label=words))
    longest, across = (27, min(len(columns), _ACROSS)) if width > 400 else (17, min(len(columns), 2))
    left = max(canvas.names_width(names, longest), canvas.names_width(list(controls), longest) + _KEY - 12)
    deep, legend = -(-len(columns) // across), -(-len(handles) // max(1, int(width // 260)))
    inner = (width - left - 4 - unseen * _CHANGE - (across - 1) * _GAP) / across - _MEAN
    tall, row = _ROW * len(titles), _VALUE if width > 400 else _ROW
    values = row * len(controls)
    figure = canvas.blank(width, deep * (_TOP + tall + _BOTTOM + values) + 8 + _LEGEND * legend)
    for i, spec in enumerate(columns):
        down, right = divmod(i, across)
        top = down * (_TOP + tall + _BOTTOM + values) + _TOP
        start = left + right * (inner + _MEAN + _GAP) + (unseen * _CHANGE if right else 0)
        axis = canvas.place(figure, start, top, inner, tall)
        _panel(axis, spec, methods, (kind, others), controls, looks, inner + _MEAN + _GAP)
        _values(axis, spec, controls, 0 if right else longest, row)
        if right == 0:
            canvas.name_rows(axis, titles, longest, names)
        else:
            axis.set_yticks([])
        if i == 0 and unseen:
            beside = axis.get_yaxis_transform()
            change = methods["title"].map(others.set_index("title")[spec.name]) - methods[spec.name]
            for y, words in enumerate(["unseen", *(spec.text(each).replace("nan", "") for each in change)], -1):
                place = (1 + (_MEAN + 8) / inner, y)
                axis.annotate(words, place, xycoords=beside, va="center", size=canvas.SMALL, color=_SOFT)
        axis.set_ylim(len(titles) - 0.5, -0.5)
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, 0), ncols=max(1, int(width // 260)), frameon=False,
        fontsize=canvas.SMALL, labelcolor=_SOFT, handlelength=1.6, borderaxespad=0, borderpad=0.2,
    )  # fmt: skip
    return figure


def _controls(block: pd.DataFrame) -> _Controls:
    """Return name of a control -> its rows and style; a control that copies methods has one row per method: a range."""
    rows, lines, bands = block[block["control"].astype(bool)], cycle(_LINES), cycle(_BANDS)
    return {
        str(own["title"].iloc[0]).split(", ")[0]: (own, next(bands if len(own) > 1 else lines))
        for _, own in rows.groupby("method", sort=True)
    }


def _number(spec: ColumnSpec, value: float) -> str:
    """Write a value without more digits than there is room for."""
    decimals = 0 if abs(value) >= 1000 else 1
    return f"{value:.{decimals}f}" if abs(value) >= 100 else spec.text(value).replace("nan", "-")


def _reached(spec: ColumnSpec, rows: pd.DataFrame) -> str:
    """Return what the rows of a control score: a value or a range."""
    return " to ".join(dict.fromkeys(_number(spec, v) for v in (rows[spec.name].min(), rows[spec.name].max())))


def _values(axis: Axes, spec: ColumnSpec, controls: _Controls, longest: int, row: float) -> None:
    """Write below a panel what every control scores, and its name and look if ``longest``, its length, is not 0."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    size = canvas.SMALL - (row == _ROW)  # on narrow screens, with names on two lines
    facts: dict[str, Any] = {"va": "center", "fontsize": size, "color": _SOFT, "transform": axis.transAxes}
    inner, high = axis.bbox.width, row / axis.bbox.height
    start, end = (6 - _KEY) / inner, -4 / inner
    for k, (name, (rows, style)) in enumerate(controls.items()):
        y = -_BOTTOM / axis.bbox.height - (k + 0.5) * high
        axis.text(0.5 + _MEAN / 2 / inner, y, _reached(spec, rows), ha="center", **facts)
        if longest:
            axis.text(-_KEY / inner, y, canvas.plain(canvas.shorten(name, longest, 2)), ha="right", **facts)
            band = Rectangle((start, y - 0.3 * high), end - start, 0.6 * high, **style) if len(rows) > 1 else None
            key = band or Line2D([start, end], [y, y], **style)
            key.set(transform=axis.transAxes, clip_on=False)
            axis.add_artist(key)


def _panel(
    axis: Axes,
    spec: ColumnSpec,
    methods: pd.DataFrame,
    others: tuple[str, pd.DataFrame],
    controls: _Controls,
    looks: Mapping[str, Look],
    room: float,
) -> None:
    canvas.head(axis, f"{spec.title}\u00a0{spec.arrow}", max(14, int(room / 6.3)))
    axis.title.set_x(0.5 + _MEAN / 2 / axis.bbox.width)
    scale = 100.0 if spec.percent else 1.0
    for name, (rows, style) in controls.items():
        low, high = (scale * value for value in (rows[spec.name].min(), rows[spec.name].max()))
        if low != low:
            continue
        shown = axis.axvspan(low, high, zorder=0, **style) if len(rows) > 1 else axis.axvline(low, zorder=1, **style)
        canvas.tell(shown, f"{name}: {spec.title} {_reached(spec, rows)}")
    tested, (kind, beside) = bool(methods[f"{spec.name}_best"].any()), others
    means = methods[spec.name].where(methods["whole"])
    best, edge = means.max() if spec.higher_is_better else means.min(), axis.get_yaxis_transform()
    for y, row in enumerate(methods.to_dict("records")):
        point, low, high = (scale * row[f"{spec.name}{end}"] for end in ("", "_low", "_high"))
        if point != point:
            continue
        look, said = looks[row["title"]], f"{row['title']}: {spec.title} {spec.text(point / scale)}"
        drawn: list[Any] = []
        if low == low:
            drawn += axis.plot([low, high], [y, y], color=look.colour, lw=1.8, solid_capstyle="round", zorder=2)
            said += f" [{spec.text(low / scale)}, {spec.text(high / scale)}]"
        face = look.colour if row[f"{spec.name}_best"] or not tested else COLOURS["card"]
        drawn += axis.plot(point, y, look.marker, color=look.colour, mfc=face, ms=6.5, mew=1.6, zorder=4)
        number = axis.text(1 + (_MEAN - 2) / axis.bbox.width, y, _number(spec, point / scale), transform=edge)
        number.set(ha="right", va="center_baseline", size=canvas.SMALL, color=_SOFT)
        if row[spec.name] == best:
            number.set(weight="bold", color=COLOURS["ink"])
        for artist in (*drawn, number):
            canvas.tell(artist, said, method=row["title"])
        other = beside.loc[beside["title"] == row["title"], spec.name]
        if len(other) and other.iloc[0] == other.iloc[0]:
            value = float(other.iloc[0])
            (small,) = axis.plot(scale * value, y + 0.3, "d", color=look.colour, mfc=COLOURS["card"], ms=4.5, zorder=3)
            canvas.tell(small, f"{row['title']}, {kind}: {spec.title} {spec.text(value)}", method=row["title"])
    for y in range(len(methods)):
        axis.axhline(y, color=COLOURS["line"], linewidth=0.6, zorder=0)
    axis.margins(x=0.06)
    axis.locator_params(axis="x", nbins=3 if axis.bbox.width > 52 else 2)
    axis.xaxis.set_major_formatter(lambda x, _: f"{x:g}" if abs(x) < 1000 else f"{x / 1000:g}k")
