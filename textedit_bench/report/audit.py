"""Audit of the metrics: how well each ranks the edits, compared with the ground truth, and how far networks agree.

This is possible only for rendered photos: the ground truth of an edited real photo is unknown.

The ranking of methods should not depend on the evaluation network, least of all on one that the methods
were optimised against.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from textedit_bench.metrics.column import OK
from textedit_bench.metrics.statistics.jackknife import kendall_of_rows, rank_correlation
from textedit_bench.metrics.statistics.tradeoff import cell_weights
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.formats import escape, table_lines, with_interval
from textedit_bench.report.pooled import shared_grids, whole_rows

EFFECT, KEPT = "success", "preservation"
"""Ground truth with which effect and preservation metrics are compared."""
JUDGES = {
    EFFECT: (
        "clip_score", "clip_gain", "clip_direction", "r_precision", "reciprocal_rank", "clip_score_in_loop",
        "clip_gain_in_loop", "clip_direction_in_loop", "success_second", "success_pixels",
    ),
    KEPT: (
        "identity_inversion", "identity", "identity_in_loop", "geometry_drift", "lpips_inversion", "lpips",
        "lpips_outside", "psnr_inversion", "ssim_inversion", "l1_inversion", "ssim_outside", "l1_outside",
    ),
}  # fmt: skip
COLUMNS = ("dataset", "truth", "metric", "asked", "rho", "low", "high", "tau", "n")
ALL = "all"
ENDS = ["rho", "low", "high"]


ScoredEdits = tuple[ComparableCells, pd.DataFrame]
"""A data set, and one row per edit of a method: a column per metric, the row's title, the requested attributes."""


def scored_edits(collected: Sequence[ComparableCells]) -> list[ScoredEdits]:
    """Read what the audit compares, of every data set that has edits by methods."""
    found = ((part, _wide(part)) for part in collected)
    return [(part, wide) for part, wide in found if not wide.empty]


def audit_frame(edits: Sequence[ScoredEdits]) -> pd.DataFrame:
    """Return one row per metric and requested attribute (and all of them): rank correlation with the truth.

    Edits of methods at every strength but 0 count, controls do not. The sign is such that 1 means perfect agreement
    with the truth. Its interval leaves out one source image at a time. Kendall's tau is given in addition.
    """
    entries = []
    for part, wide in edits:
        protocols = part.cells[0].manifest.protocols
        for truth, names in JUDGES.items():
            for name in names:
                if truth not in wide or name not in wide:
                    continue
                sign = 1.0 if protocols[name]["higher_is_better"] else -1.0
                known = wide[wide[truth].notna() & wide[name].notna()]
                for asked, rows in [(ALL, known), *known.groupby("asked", sort=True)]:
                    found = rank_correlation(sign * rows[name], rows[truth], rows["image"])
                    figures = (found.value, found.low, found.high, found.tau, found.n)
                    entries.append(dict(zip(COLUMNS, (part.dataset, truth, name, asked, *figures), strict=True)))
    return pd.DataFrame(entries, columns=list(COLUMNS))


def _wide(part: ComparableCells) -> pd.DataFrame:
    wanted = {name for names in JUDGES.values() for name in names} | set(JUDGES)
    frames = []
    for title, cell in [(row.title, cell) for row in part.rows if not row.control for cell in row.cells]:
        records = cell.records()
        chosen = records[records["metric"].isin(wanted) & (records["state"] == OK) & (records["strength"] > 0)]
        wide = chosen.pivot(index=["image", "strength"], columns="metric", values="value").reset_index()
        frames.append(wide.assign(asked=cell.identity.prompt.asked_names, method=title))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def overfit_frame(edits: Sequence[ScoredEdits]) -> pd.DataFrame:
    """Return one row per method and settings: z-scored CLIP gain by the guiding and by the evaluation network, and gap.

    A large difference means that the method overfits the network that it optimised.
    """
    entries = []
    for part, wide in edits:
        if not {"clip_gain", "clip_gain_in_loop"} <= set(wide.columns):
            continue
        known = wide[wide["clip_gain"].notna() & wide["clip_gain_in_loop"].notna()]
        scores = known[["clip_gain_in_loop", "clip_gain"]]
        z = (scores - scores.mean()) / scores.std().replace(0.0, np.nan)
        means = z.groupby(known["method"], sort=True).mean()
        for method, row in means.iterrows():
            gap = row["clip_gain_in_loop"] - row["clip_gain"]
            facts = {"dataset": part.dataset, "method": method, "in_loop": row["clip_gain_in_loop"]}
            entries.append({**facts, "held_out": row["clip_gain"], "gap": gap})
    return pd.DataFrame(entries, columns=["dataset", "method", "in_loop", "held_out", "gap"])


def audit_markdown(frame: pd.DataFrame, overfit: pd.DataFrame) -> str:
    """Write the page: findings, then the values."""
    lines = [
        "# Audit of the judges",
        "",
        "How well each automatic metric orders the edits of all methods and strengths, compared with the ground truth: "
        "Spearman's rank correlation, signed so that 1 is perfect, with its 95 % interval (leaving out one source "
        "image at a time). A metric that cannot be told from 0 says nothing about that attribute. tau: Kendall's tau-b "
        "over all edits, the share of pairs in the right order less that in the wrong one.",
        "",
    ]
    for (dataset, truth), rows in frame.groupby(["dataset", "truth"], sort=False):
        whole = rows[rows["asked"] == ALL].sort_values("rho", ascending=False, kind="stable")
        lines += [f"## {escape(dataset)}: against {truth}", "", *_findings(whole, rows), ""]
        asked = [name for name in dict.fromkeys(rows["asked"]) if name != ALL]
        table = []
        for metric in whole["metric"]:
            own = rows[rows["metric"] == metric].set_index("asked")
            cells = [with_interval(*own.loc[name, ENDS]) if name in own.index else "-" for name in (ALL, *asked)]
            tau = own.loc[ALL, "tau"]
            cells.insert(1, "-" if pd.isna(tau) else f"{tau:.2f}")
            table.append([escape(metric), *cells])
        lines += [*table_lines(["Metric", "All", "All, tau", *map(escape, asked)], table), ""]
    if len(overfit):
        lines += ["## Overfit gap", "", "CLIP gain in standard deviations over all edits.", ""]
        table = [
            [escape(r["dataset"]), escape(r["method"]), *(f"{r[name]:+.2f}" for name in ("in_loop", "held_out", "gap"))]
            for _, r in overfit.iterrows()
        ]
        lines += [*table_lines(("Data set", "Method", "In the loop", "Held out", "Gap"), table, "llrrr"), ""]
    return "\n".join(lines)


def _findings(whole: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """Write sentences that follow from the values."""
    known = whole[whole["rho"].notna()]
    if known.empty:
        return ["Nothing could be correlated."]
    best, worst = known.iloc[0], known.iloc[-1]
    said = [
        f"- Best order over all attributes: `{best['metric']}` ({best['rho']:.2f} [{best['low']:.2f}, "
        f"{best['high']:.2f}], {best['n']} edits); worst: `{worst['metric']}` ({worst['rho']:.2f})."
    ]
    single = rows[(rows["asked"] != ALL) & rows["low"].notna()]
    blind = single[(single["low"] <= 0.0) & (single["high"] >= 0.0)]
    wrong = single[single["high"] < 0.0]
    said.append(f"- {len(blind)} of {len(single)} pairs of metric and attribute cannot be told from chance.")
    if len(wrong):
        pairs = ", ".join(f"`{r['metric']}` on {r['asked']}" for _, r in wrong.head(8).iterrows())
        said.append(f"- Ordered the wrong way round: {pairs}{' and more' if len(wrong) > 8 else ''}.")
    return said


COMPARED = {
    "effect": ("success", "success_second", "clip_gain", "clip_gain_in_loop"),
    "what is kept": ("preservation", "identity_inversion", "identity_in_loop", "lpips_inversion"),
}
"""Metrics that measure the same property with different networks; each pair within a line is compared."""
RANKING_COLUMNS = ("dataset", "what", "first", "second", "tau", "low", "high", "methods")
FEWEST = 3
"""Minimum number of methods for a meaningful ranking."""


def judge_rankings_frame(collected: Sequence[ComparableCells]) -> pd.DataFrame:
    """Return one row per data set and pair of networks: tau-b of their rankings of methods, and its 95 % interval.

    A method is ranked by its mean over the prompts that all methods with every trained prompt share; the interval draws
    images and prompts, with the same draws for both networks. Controls are excluded: agreement on their last ranks is
    not agreement about methods. Empty for fewer than three methods.
    """
    entries = []
    for part in collected:
        if not part.cells:
            continue
        rows = whole_rows(part)
        titles = sorted({row.title for row in rows})
        protocols = part.cells[0].manifest.protocols
        if len(titles) < FEWEST:
            continue
        for what, names in COMPARED.items():
            means = {}
            for name in names:
                grids = shared_grids([(part, rows)], titles, name) if name in protocols else []
                if grids and np.isfinite(grids[0]).any():
                    means[name] = _means(grids[0]) * (1.0 if protocols[name]["higher_is_better"] else -1.0)
            for first, second in combinations(means, 2):
                taus = kendall_of_rows(means[first], means[second])
                drawn = taus[1:][np.isfinite(taus[1:])]
                low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (np.nan, np.nan)
                figures = (part.dataset, what, first, second, taus[0], low, high, len(titles))
                entries.append(dict(zip(RANKING_COLUMNS, figures, strict=True)))
    return pd.DataFrame(entries, columns=list(RANKING_COLUMNS))


def _means(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute means [1 + draws, methods] over the cells [methods, prompts, images]; the first row is the sample.

    The draws depend only on the shape, so that all networks of a data set have the same ones.
    """
    weights = cell_weights(*grid.shape[1:])
    there = np.isfinite(grid[0])
    sums = np.einsum("mpi,rpi->rm", np.where(there, grid, 0.0), weights, optimize=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        # Methods of equal values stay tied, independent of rounding.
        means: NDArray[np.float64] = np.round(sums / (weights * there).sum((1, 2))[:, None], 12)
    return means


def judge_rankings_markdown(frame: pd.DataFrame) -> str:
    """Write the page."""
    lines = [
        "# Do the judges rank the methods alike?",
        "",
        "Kendall's tau-b between the orders in which two judges put the methods: 1 the same, 0 unrelated, -1 reversed; "
        "95 % interval from resampled images and prompts.",
        "",
    ]
    cells = []
    for _, row in frame.iterrows():
        tau = with_interval(row["tau"], row["low"], row["high"])
        cells.append([*(escape(str(row[name])) for name in RANKING_COLUMNS[:4]), tau, row["methods"]])
    lines += table_lines(("Data set", "What", "Judge", "Other judge", "tau", "Methods"), cells, "llllrr")
    return "\n".join(lines) + "\n"
