"""The audit of the metrics as values of an experiment."""

from __future__ import annotations

from typing import Any

from textedit_bench.experiments.cells import DatasetCells
from textedit_bench.experiments.measured import Heading, Measured
from textedit_bench.report.audit import audit_frame, scored_edits

METRIC = "rank_correlation"
HEADING = Heading("Rank correlation with the truth", True, 2)


def measure_audit(dataset: str, cells: DatasetCells) -> list[Measured]:
    """Return one value per metric and requested attribute; the rows are metrics, not methods."""
    if cells.collected is None or not cells.collected.cells:
        state = "; ".join(f"{name}: {why}" for name, why in cells.states.items()) or "no cells"
        keys: dict[str, Any] = {"dataset": dataset, "method": "", "setting": "", "metric": METRIC}
        return [Measured(**keys, heading=HEADING, title="every metric", state=state)]
    protocols = cells.collected.cells[0].manifest.protocols
    return [
        Measured(
            dataset=dataset,
            method=row["metric"],
            title=protocols[row["metric"]]["title"],
            setting=f"{row['truth']}, {row['asked']}",
            metric=METRIC,
            heading=HEADING,
            value=float(row["rho"]),
            low=float(row["low"]),
            high=float(row["high"]),
            n=int(row["n"]),
            state="" if row["rho"] == row["rho"] else "one of both is constant",
        )
        for row in audit_frame(scored_edits([cells.collected])).to_dict("records")
    ]
