"""Names that ``assets fetch`` and ``assets verify`` take: assets, and what other commands take for a data set."""

from __future__ import annotations

import pytest

from textedit_bench.assets.manifest import list_assets
from textedit_bench.registry import dataset_names, list_datasets, load_dataset


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home for assets."""
    monkeypatch.setenv("TEXTEDIT_BENCH_HOME", str(tmp_path / "home"))


def _asked_for(ended):
    return [line.split(":")[0] for line in ended.err.splitlines()]


def test_a_data_set_may_be_named_by_its_alias_or_its_card(run, tmp_path):
    card = load_dataset("ffhq")
    wanted = list(dict.fromkeys([*card.tier("full").networks.values(), card.tier("full").source.asset]))
    own = tmp_path / "own.yaml"
    own.write_text(card.path.read_text())
    for name in (card.name, card.aliases[0], str(own)):
        ended = run("assets", "verify", name)
        assert ended.code == 1 and _asked_for(ended) == wanted


def test_an_unknown_name_lists_data_sets_before_assets(run):
    ended = run("assets", "fetch", "fhqq")
    assert ended.code == 2 and "unknown data set or asset 'fhqq'. Did you mean 'ffhq'?" in ended.err
    listed = ended.err.partition("Valid: ")[2].strip().split(", ")
    aliases = {alias for card in list_datasets() for alias in card.aliases}
    assert {*listed} == {*dataset_names(), *aliases, *list_assets()}
    assert listed.index("ffhq") < listed.index("clip-b32")


def test_a_card_that_cannot_be_read_is_no_unknown_asset(run):
    ended = run("assets", "fetch", "no/such.yaml")
    assert ended.code == 2 and "card no/such.yaml: cannot be read" in ended.err
