"""Write the footnotes of a table: how it was measured, caveats of methods, the agreement of the two oracles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from textedit_bench.metrics.column import OK
from textedit_bench.metrics.sets import FEW
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.rows import ColumnSpec, RowCells

AGREEMENT = "oracles_agree"


def row_remarks(rows: Sequence[RowCells]) -> list[str]:
    """Return remarks about one data set's rows, plain text."""
    titles: dict[str, list[str]] = {}
    for row in rows:
        titles.setdefault(row.cells[0].listing.caveat, []).append(row.title)
    remarks = [f"{'; '.join(dict.fromkeys(named))}: {caveat}" for caveat, named in titles.items() if caveat]
    return [*_agreement(rows), *remarks]


def _agreement(rows: Sequence[RowCells]) -> list[str]:
    records = pd.concat([row.records for row in rows], ignore_index=True)
    shares = records.loc[(records["metric"] == AGREEMENT) & (records["state"] == OK), "value"]
    if shares.empty:
        return []
    dataset = rows[0].cells[0].identity.dataset
    share = f"{100 * shares.mean():.1f}"
    return [f"{dataset}: the two oracles agree on {share} % of attributes over {len(shares)} edits (all rows)."]


def footnotes(
    tier: str, collected: Sequence[ComparableCells], frame: pd.DataFrame, columns: Sequence[ColumnSpec]
) -> list[str]:
    """Return what holds for the whole table, plain text: images, intervals, what is missing, protocols."""
    notes = [f"Tier {tier}; figures of different tiers are not comparable."]
    for part in collected:
        if not part.cells:
            continue
        identity = part.cells[0].identity
        images = identity.images
        networks = ", ".join(f"{role} {digest}" for role, digest in identity.networks.items())
        which = f"{images.count} images of the {images.split} split (digest {images.digest})"
        if part.fixed_prompts:
            which = (
                f"a census, every prompt on {_range(cell.identity.images.count for cell in part.cells)} photos on "
                f"which it counts, among {len(part.pool)} of the {images.split} split (digest {images.pool})"
            )
        notes.append(f"{part.dataset}: {which}, seed {identity.seed}; networks: {networks}.")
        notes.extend(part.notes)
    drawn = "images and prompts"
    if any(part.fixed_prompts for part in collected):
        drawn = "images, for these very prompts (a census has no others to draw)"
    notes.append(
        "Each row is measured at the method's default strength. Brackets: 95 % interval; per-image metrics: bootstrap "
        f"over {drawn}; set metrics: jackknife leaving out one image with all its prompts."
    )
    if any(frame[f"{c.name}_best"].any() for c in columns):
        notes.append("Bold: best of its block, and every method not significantly worse; controls are not ranked.")
    if any(c.in_loop for c in columns):
        notes.append(
            "(in loop): judged by a network that methods may have optimised; shown for comparison, not ranked."
        )
    counts = frame[[f"{c.name}_n" for c in columns if c.name.startswith("fid")]].to_numpy(np.float64)
    if (known := counts[counts > 0]).size and known.min() < FEW:
        notes.append(
            f"FID of {known.min():.0f} images: below {FEW} it is biased upwards by about one over their number; "
            "compare rows of equal number only."
        )
    bare = {part.dataset: _texts_without_truth(part) for part in collected} if "success" in frame else {}
    for name, texts in bare.items():
        if texts:
            notes.append(
                f"{name}: what {'; '.join(texts)} should change is not known, so success and preservation leave out "
                "their edits; ids of the data set's prompts (datasets prompts) have a ground truth."
            )
    if "success" in frame and frame["success_left_out"].any():
        known = frame[~frame["dataset"].isin([name for name, texts in bare.items() if texts])]
        counts = known[["dataset", "prompt_set", "success_left_out", "edits"]].drop_duplicates()
        texts = [f"{r.dataset}, {r.prompt_set} prompts {r.success_left_out} of {r.edits}" for r in counts.itertuples()]
        if texts:
            notes.append(f"Not scored for success (asked attribute hidden, or already so): {'; '.join(texts)}.")
    for (dataset, prompt_set), block in frame.groupby(["dataset", "prompt_set"], sort=False):
        most = block["prompts"].max()
        for count, fewer in block[block["prompts"] < most].groupby("prompts", sort=False):
            have, ranked = ("has", "it is") if len(fewer) == 1 else ("have", "they are")
            what = f"{count} of {most} {prompt_set} prompts on {dataset}"
            notes.append(f"{'; '.join(fewer['title'])} {have} {what}; {ranked} not ranked.")
    for dataset, block in frame.groupby("dataset", sort=False):
        for column in columns:
            ids = sorted({p for p in block[f"{column.name}_protocol"] if isinstance(p, str) and p})
            notes.append(f"{dataset}, {column.title}: {'; '.join(ids)}")
    return notes


def _texts_without_truth(part: ComparableCells) -> list[str]:
    """List the texts of which nothing says what they ask for."""
    prompts = {cell.identity.prompt for cell in part.cells}
    return sorted(f"'{prompt.words}'" for prompt in prompts if prompt.attribute is None)


def _range(counts: Iterable[int]) -> str:
    found = sorted(set(counts))
    return f"{found[0]} to {found[-1]}" if len(found) > 1 else f"{found[0]}"
