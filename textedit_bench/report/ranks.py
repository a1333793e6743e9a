"""Average ranks of the methods over prompts and data sets, with the critical difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from textedit_bench.metrics.statistics.ranks import average_ranks
from textedit_bench.report.collect import Collected
from textedit_bench.report.columns import column_specs
from textedit_bench.report.markdown import escape
from textedit_bench.report.rows import RowCells, make_rows

COLUMNS = ("metric", "title", "average_rank", "blocks", "friedman_p", "critical_difference", "cliques")


def ranks_frame(collected: Sequence[Collected]) -> pd.DataFrame:
    """One row per headline metric and method; a block is a prompt of a data set, ranked on the mean over its images.

    ``cliques`` names the groups (by letters, shared with the methods they hold) whose ranks are not told apart. Metrics
    judged by a network that methods may have optimised are not ranked, nor are controls. Empty for fewer than two
    methods.
    """
    parts = [(part, [row for row in make_rows(part.cells) if not row.control]) for part in collected]
    titles = sorted({row.title for _, rows in parts for row in rows})
    specs = {
        spec.name: spec
        for part, _ in parts
        if part.cells
        for spec in column_specs(part.cells[0].manifest["score"]["protocols"])
        if spec.scope == "image" and not spec.in_loop
    }
    entries = []
    for name, spec in specs.items():
        blocks = _blocks(parts, titles, name)
        if len(titles) < 2 or not np.isfinite(blocks).all(0).any():
            continue
        ranks = average_ranks(blocks, higher_is_better=spec.higher_is_better)
        for i in np.argsort(ranks.average, kind="stable"):
            letters = "".join(chr(ord("a") + c) for c, clique in enumerate(ranks.cliques) if int(i) in clique)
            figures = (ranks.average[i], ranks.blocks, ranks.friedman_p, ranks.critical_difference, letters)
            entries.append(dict(zip(COLUMNS, (name, titles[i], *figures), strict=True)))
    return pd.DataFrame(entries, columns=list(COLUMNS))


def _blocks(parts: Sequence[tuple[Collected, list[RowCells]]], titles: Sequence[str], metric: str) -> np.ndarray:
    """Means [methods, prompts of all data sets] over the images that every method has a value of."""
    columns = []
    for part, rows in parts:
        if not part.cells:
            continue
        images = part.cells[0].manifest["infer"]["ids"]
        for prompt in sorted({prompt for row in rows for prompt in row.prompts}):
            by_title = {row.title: row for row in rows if prompt in row.prompts}
            if set(by_title) != set(titles):
                continue
            values = np.stack([by_title[title].grid(metric, [prompt], images)[0] for title in titles])
            values = values[:, np.isfinite(values).all(0)]
            columns.append(values.mean(1) if values.size else np.full(len(titles), np.nan))
    return np.stack(columns, 1) if columns else np.empty((len(titles), 0))


def ranks_markdown(frame: pd.DataFrame) -> str:
    """Average ranks as Markdown."""
    lines = ["# Average ranks", ""]
    for metric, rows in frame.groupby("metric", sort=False):
        first = rows.iloc[0]
        lines += [
            f"**{escape(metric)}**: {first['blocks']} blocks (prompt x data set), Friedman p = "
            f"{first['friedman_p']:.2g}, critical difference {first['critical_difference']:.2f}",
            "",
            "| Method | Average rank ↓ | Not told apart |",
            "| :-- | --: | :-- |",
        ]
        lines += [f"| {escape(r['title'])} | {r['average_rank']:.2f} | {r['cliques']} |" for _, r in rows.iterrows()]
        lines.append("")
    lines.append(
        "Ranks within each block on the mean over images that every method has a value of; 1 is best. Methods that "
        "share a letter differ by no more than Nemenyi's critical difference (5 %); ranks depend on the methods "
        "present."
    )
    return "\n".join(lines) + "\n"
