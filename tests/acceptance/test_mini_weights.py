"""Every file that the registered cards name for the mini tier is shipped."""

from __future__ import annotations

import pytest

import textedit_bench as teb

FILES = [
    (card.name, role, card.path.parent / name)
    for card in teb.list_datasets()
    if card.path is not None and (tier := card.tiers.get("mini")) is not None
    for role, name in tier.networks.items()
]


def test_there_are_cards_with_a_mini_tier():
    assert {"ffhq"} <= {card for card, _, _ in FILES}


@pytest.mark.parametrize(("card", "role", "file"), FILES, ids=[f"{card}-{role}" for card, role, _ in FILES])
def test_a_network_of_the_mini_tier_is_a_file_beside_its_card(card, role, file):
    assert file.is_file(), f"{card}: the {role} is missing: {file}"
    assert file.stat().st_size > 10_000
