"""Records against the plain way to make them: one small table per metric, joined and sorted."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.bench.scoring import KEYS, _records, write_table
from textedit_bench.metrics.column import HIDDEN, OK, Column

METRICS = ("success", "clip_score", "Lpips", "lpips")


@dataclass(frozen=True)
class _Protocol:
    id: str


def _plain(cell: Any, ids: Any, suite: Any, measured: Any) -> pd.DataFrame:
    frames = [
        pd.DataFrame(
            {"image": list(ids), "value": c.values, "state": c.states, "strength": strength, "metric": name}
        ).assign(protocol=suite.protocols[name].id)
        for strength, columns in zip(cell.strengths, measured, strict=True)
        for name, c in columns.items()
    ]
    fixed = {name: getattr(cell, name) for name in ("tier", "dataset", "method", "prompt_id", "seed")}
    joined = pd.concat(frames, ignore_index=True).assign(**fixed)[[*KEYS, "value", "state", "protocol", "tier"]]
    return joined.sort_values(KEYS, kind="stable", ignore_index=True)


@settings(max_examples=25, deadline=None)
@given(
    ids=st.lists(st.text("ab-0Zé", min_size=1, max_size=4), min_size=1, max_size=5, unique=True),
    strengths=st.lists(st.sampled_from([0.0, 0.25, 1.0, 3.0]), min_size=1, unique=True).map(sorted),
    seed=st.integers(0, 2**31),
)
def test_records_are_those_of_joined_and_sorted_tables(tmp_path_factory, ids, strengths, seed):
    draw = np.random.default_rng(seed)

    def column() -> Column:
        hidden = draw.random(len(ids)) < 0.3
        return Column.of(draw.random(len(ids)), [HIDDEN if h else OK for h in hidden])

    measured = [{name: column() for name in METRICS} for _ in strengths]
    cell: Any = SimpleNamespace(
        tier="mini", dataset="d", method="m", prompt_id="p", seed=seed, strengths=tuple(strengths)
    )
    suite: Any = SimpleNamespace(protocols={name: _Protocol(f"{name}:v1") for name in METRICS})
    ours, plain = _records(cell, ids, suite, measured), _plain(cell, ids, suite, measured)
    pd.testing.assert_frame_equal(ours, plain)
    folder = tmp_path_factory.mktemp("records")
    write_table(ours, folder / "ours")
    write_table(plain, folder / "plain")
    assert (folder / "ours").read_bytes() == (folder / "plain").read_bytes()
