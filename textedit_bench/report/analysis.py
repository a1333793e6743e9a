"""Write the analyses that accompany the table: matched effect, leakage, ranks, pairs, audit of the metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from textedit_bench.files import write_text
from textedit_bench.report.audit import audit_frame, audit_markdown, overfit_frame
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.columns import ColumnSpec
from textedit_bench.report.csv import frame_csv
from textedit_bench.report.figures.leakage import draw_leakage
from textedit_bench.report.figures.save import save_figure
from textedit_bench.report.judge_rankings import judge_rankings_frame, judge_rankings_markdown
from textedit_bench.report.leakage import leakage_frame, leakage_markdown
from textedit_bench.report.paired_tests import paired_tests_frame, pairs_markdown
from textedit_bench.report.pooled import pooled_frame, pooled_markdown
from textedit_bench.report.ranks import ranks_frame, ranks_markdown
from textedit_bench.report.tradeoff import tradeoff_frame, tradeoff_markdown


def write_analysis(collected: Sequence[ComparableCells], columns: Sequence[ColumnSpec], folder: Path) -> list[Path]:
    """Write every analysis that the records allow into a tier's folder; outdated ones are removed.

    ``pooled`` (of a census), ``matched``, ``leakage``, ``ranks``, ``pairs`` (of ``columns`` that are not in the
    loop), ``audit`` and ``judges``, each as CSV and Markdown, and one heat map per data set.
    """
    matched, leakage, ranks, audit, judges = (
        make(collected) for make in (tradeoff_frame, leakage_frame, ranks_frame, audit_frame, judge_rankings_frame)
    )
    pairs = paired_tests_frame(collected, [spec for spec in columns if not spec.in_loop])
    pooled = pooled_frame(collected, columns)
    pages: dict[str, tuple[pd.DataFrame, Callable[[pd.DataFrame], str]]] = {
        "pooled": (pooled, partial(pooled_markdown, columns=columns)),
        "matched": (matched, tradeoff_markdown),
        "leakage": (leakage, leakage_markdown),
        "ranks": (ranks, ranks_markdown),
        "pairs": (pairs, pairs_markdown),
        "audit": (audit, lambda frame: audit_markdown(frame, overfit_frame(collected))),
        "judges": (judges, judge_rankings_markdown),
    }
    written: list[Path] = []
    for name, (frame, render) in pages.items():
        paths = [folder / f"{name}.csv", folder / f"{name}.md"]
        if frame.empty:
            for path in paths:
                path.unlink(missing_ok=True)
            continue
        write_text(paths[0], frame_csv(frame))
        write_text(paths[1], render(frame))
        written += paths
    for dataset, rows in leakage.groupby("dataset", sort=True):
        figure = draw_leakage(rows)
        if figure is not None:
            path = folder / str(dataset) / "leakage.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            save_figure(figure, path)
            written.append(path)
    return written
