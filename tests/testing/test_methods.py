"""Every registered method keeps the rules: the quick ones on one toy data set, all of them everywhere."""

from __future__ import annotations

import pytest

from textedit_bench import list_methods, load_method
from textedit_bench.testing import TOYS, check_editor

CARDS = {card.name: card for card in list_methods() if not card.control}
QUICK = [name for name, card in CARDS.items() if card.trial and card.trains == "none"]


def test_some_methods_name_quick_settings():
    assert QUICK


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_method_keeps_the_rules(name):
    check_editor(load_method(name), geometries=TOYS[:1])


@pytest.mark.slow
@pytest.mark.parametrize("name", CARDS)
def test_a_method_keeps_the_rules_on_every_shape(name):
    check_editor(load_method(name))
