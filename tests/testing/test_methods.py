"""Every registered method keeps the rules: the quick ones on one toy data set, all of them everywhere."""

from __future__ import annotations

import pytest

from textedit_bench import list_methods, load_domain, load_method
from textedit_bench.testing import TOYS, check_editor, write_toy_dataset
from textedit_bench.testing.checks.keeping import goes_on
from textedit_bench.testing.subject import Subject

CARDS = {card.name: card for card in list_methods() if not card.control}
STEPS = {"batch_size", "learning_rate"}
LEARNING = [name for name, card in CARDS.items() if card.trial and card.training.keys() >= STEPS]
SMALL = [name for name, card in CARDS.items() if card.miniature and "edit" not in card.tasks]
"""An image encoder, by which the others edit photos, has one size."""
QUICK = [name for name, card in CARDS.items() if card.trial and card.trains == "none"] + SMALL


def test_some_methods_name_quick_settings():
    assert QUICK


@pytest.mark.parametrize("name", QUICK)
def test_a_quick_method_keeps_the_rules(name):
    check_editor(load_method(name), geometries=TOYS[:1])


@pytest.mark.parametrize("name", LEARNING)
def test_a_stopped_training_goes_on(name, tmp_path):
    domain = load_domain(str(write_toy_dataset(tmp_path / "toy")))
    result = goes_on.run(Subject(load_method(name), domain, tmp_path, CARDS[name].trial, train=True))
    assert result.state != "failed", result.found


@pytest.mark.slow
@pytest.mark.parametrize("name", CARDS)
def test_a_method_keeps_the_rules_on_every_shape(name):
    check_editor(load_method(name))
