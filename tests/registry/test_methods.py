"""Methods by name: listing imports no class, and no plugin can break another."""

from __future__ import annotations

import pytest

from textedit_bench import list_methods, load_method
from textedit_bench.domain import Domain
from textedit_bench.errors import UserError
from textedit_bench.files import HOME
from textedit_bench.registry import METHODS, broken_methods, list_datasets, load_dataset, method_info, method_names

CARD = """
from textedit_bench.info import MethodInfo
CARD = MethodInfo(name="{name}", title="T", paper="", arxiv="", editor="{editor}", space="w+", trains="none")
"""


def _reason(name):
    return {plugin.name: plugin.reason for plugin in broken_methods()}[name]


def test_an_outside_method_is_listed_and_loaded_like_a_built_in_one(install):
    editor = """
from textedit_bench import Editor
from zz_card import CARD
class Mine(Editor):
    info = CARD
    def edit(self, latents, prompt, strength=1.0):
        return latents
"""
    modules = {"zz_card": CARD.format(name="zz-mine", editor="zz_editor:Mine"), "zz_editor": editor}
    install("zz-mine", {METHODS: {"zz-mine": "zz_card:CARD"}}, modules)

    assert "zz-mine" in [card.name for card in list_methods()]
    assert load_method("zz-mine").__name__ == "Mine"


def test_methods_come_before_controls():
    controls = [card.control for card in list_methods()]
    assert controls == sorted(controls)
    assert {True, False} == set(controls)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no GPU today')", "RuntimeError: no GPU today"),
        ("import not_installed_anywhere", "No module named 'not_installed_anywhere'"),
        ("def (", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("OTHER = 1", "AttributeError"),
        ("CARD = 5", "expected a card (MethodInfo), got int"),
        (CARD.format(name="another", editor="a:B"), "its card calls itself 'another'"),
    ],
)
def test_a_broken_card_is_listed_with_its_reason_and_disturbs_nobody(install, source, reason):
    before = {card.name for card in list_methods()}
    install(
        "zz-broken",
        {METHODS: {"zz-broken": "zz_broken:CARD"}},
        {"zz_broken": source},
    )

    assert {card.name for card in list_methods()} == before
    assert reason in _reason("zz-broken")
    with pytest.raises(UserError, match="method 'zz-broken' is broken") as caught:
        load_method("zz-broken")
    assert "zz-broken 1.0" in str(caught.value)


@pytest.mark.parametrize(
    ("editor", "reason"),
    [
        ("zz_nowhere:Editor", "No module named 'zz_nowhere'"),
        ("json:NoSuchClass", "AttributeError"),
        ("json:loads", "not a subclass of textedit_bench.Editor"),
        ("json", "cannot be imported"),
    ],
)
def test_a_broken_class_breaks_only_its_use(install, editor, reason):
    install("zz-late", {METHODS: {"zz-late": "zz_late:CARD"}}, {"zz_late": CARD.format(name="zz-late", editor=editor)})

    assert method_info("zz-late").editor == editor
    with pytest.raises(UserError, match="method 'zz-late' is broken") as caught:
        load_method("zz-late")
    assert reason in str(caught.value)


def test_two_distributions_claiming_one_name_are_both_named_when_it_is_used(install):
    for owner in ("zz-first", "zz-second"):
        install(owner, {METHODS: {"zz-twice": f"{owner.replace('-', '_')}:CARD"}})

    assert method_names().count("zz-twice") == 1
    with pytest.raises(UserError) as caught:
        load_method("zz-twice")
    assert "zz-first 1.0" in str(caught.value)
    assert "zz-second 1.0" in str(caught.value)


def test_names_are_read_without_importing_anything(install):
    install("zz-bomb", {METHODS: {"zz-bomb": "zz_bomb:CARD"}}, {"zz_bomb": "raise AssertionError('imported')"})
    assert "zz-bomb" in method_names()


def test_an_unknown_name_gets_the_nearest_spelling_and_all_names():
    known = method_names()
    with pytest.raises(UserError) as caught:
        load_method(known[0] + "x")
    assert f"Did you mean {known[0]!r}?" in str(caught.value)
    assert all(name in str(caught.value) for name in known)


def test_the_name_of_a_control_cannot_be_taken(install):
    install("zz-greedy", {METHODS: {"no-edit": "zz_greedy:CARD"}}, {"zz_greedy": "raise AssertionError('imported')"})
    assert _reason("no-edit") == "a control has this name"
    assert method_info("no-edit").control


@pytest.mark.parametrize(("name", "tier"), [(card.name, tier) for card in list_datasets() for tier in card.tiers])
def test_every_method_can_be_made_for_every_card_with_what_a_bench_gives(name, tier, tmp_path, monkeypatch):
    """A bench names every setting, defaults included, also where the data set lacks a network."""
    monkeypatch.setenv(HOME, str(tmp_path))
    domain = Domain(load_dataset(name), tier)
    for info in (info for info in list_methods() if not info.control and name in (info.datasets or (name,))):
        assert load_method(info.name)(domain, **info.settings_for(tier)).info is info
