"""Listings, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

from textedit_bench.registry import METHODS, BrokenPlugin, list_datasets, list_methods


def test_methods_as_json_carry_the_whole_cards(run):
    listed = {card["name"]: card for card in json.loads(run("methods", "--json").out)}
    for card in list_methods():
        assert listed[card.name]["broken"] is None
        assert listed[card.name]["editor"] == card.editor
        assert listed[card.name]["settings"] == json.loads(json.dumps(card.settings))


def test_methods_as_a_table_have_one_line_each(run):
    lines = run("methods").out.splitlines()
    assert [line.split()[0] for line in lines] == ["NAME", *(card.name for card in list_methods())]


def test_a_broken_method_is_listed_with_its_reason_and_exit_code_0(run, monkeypatch):
    broken = BrokenPlugin("mine", "my.card:CARD (mine 1.0)", "cannot be imported (ImportError: no)")
    monkeypatch.setattr("textedit_bench.registry.broken_methods", lambda: [broken])
    table, listed = run("methods"), run("methods", "--json")
    assert table.code == listed.code == 0
    assert "mine  broken: cannot be imported (ImportError: no) [my.card:CARD (mine 1.0)]" in table.out
    assert json.loads(listed.out)[-1] == {"name": "mine", "origin": broken.origin, "broken": broken.reason}


def test_datasets_as_json_carry_cards_and_what_is_missing(run):
    listed = {card["name"]: card for card in json.loads(run("datasets", "--json").out)}
    for card in list_datasets():
        assert listed[card.name]["path"] == str(card.path)
        assert set(listed[card.name]["missing"]) == set(card.tiers)
        assert len(listed[card.name]["tiers"]["mini"]["prompts"]) == len(card.tier("mini").prompts)


def test_assets_say_of_every_network_whether_it_is_there(run):
    listed = json.loads(run("assets", "list", "--json").out)["networks"]
    for card in list_datasets():
        for tier, part in card.tiers.items():
            own = {asset["role"]: asset for asset in listed if (asset["dataset"], asset["tier"]) == (card.name, tier)}
            assert set(own) == set(part.networks)
            for asset in own.values():
                path = Path(asset["path"])
                assert asset["bytes"] == (path.stat().st_size if path.is_file() else None)


def test_doctor_reports_a_broken_plugin_and_exits_1(run, monkeypatch):
    facts = {"system": {"python": "3"}, "broken": {"method mine": "no"}}
    monkeypatch.setattr("textedit_bench.cli.doctor.diagnose", lambda: facts)
    assert run("doctor").code == 1
    assert json.loads(run("doctor", "--json").out) == facts
    facts["broken"].clear()
    assert run("doctor").code == 0


def test_doctor_names_versions_device_and_cells(run):
    found = json.loads(run("doctor", "--json").out)
    assert found["packages"]["torch"]
    assert set(found["methods"]) == {card.name for card in list_methods()}
    assert {name.split()[0] for name in found["tiers"]} == {card.name for card in list_datasets()}
    assert METHODS  # the group's name is part of the contract with outside packages


def test_prompts_are_those_that_a_bench_takes(run):
    for card in list_datasets():
        listed = json.loads(run("datasets", "prompts", "-d", card.name, "-t", "mini", "--json").out)
        known = {prompt.id: prompt for prompt in card.tier("mini").prompts}
        assert [each["id"] for each in listed] == list(known)
        for each in listed:
            prompt = known[each["id"]]
            assert each["target"] == prompt.target and each["attribute"] == prompt.attribute
            expected = ("trained" if prompt.trained else "unseen") if prompt.split == "evaluation" else prompt.split
            assert each["use"] == expected
        census = json.loads(
            run("datasets", "prompts", "-d", card.name, "-t", "mini", "--protocol", "census", "--json").out
        )
        assert {each["use"] for each in census} <= {"trained", "unseen", "train"} and len(census) > len(listed)


def test_prompts_of_real_photos_are_no_census(run):
    found = run("datasets", "prompts", "-d", "ffhq", "-t", "full", "--protocol", "census")
    assert found.code == 2 and "tier full has no world; valid: quick" in found.err
    assert "Valid: census, quick" in run("datasets", "prompts", "-d", "ffhq", "--protocol", "all").err
