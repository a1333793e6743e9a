"""Data sets by name, alias and path; tiers by what is there."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from textedit_bench import list_datasets, load_dataset, load_domain
from textedit_bench.errors import UserError
from textedit_bench.registry import DATASETS, broken_datasets, dataset_names, missing_network, resolve_tier

TIER = "{resolution: 8, networks: {generator: NAME.bin, encoder: NAME-encoder.bin}, splits: {evaluation: 2}}"


def write_card(
    folder: Path, name: str = "zz-shapes", *, tiers: tuple[str, ...] = ("mini", "full"), aliases: str = ""
) -> Path:
    lines = [f"name: {name}", "title: Shapes", "kind: object", "neutral: a shape", f"aliases: [{aliases}]", "tiers:"]
    lines += [f"  {tier}: {TIER.replace('NAME', tier)}" for tier in tiers]
    path = folder / f"{name}.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def publish(install, card: Path, name: str, distribution: str = "zz-data") -> None:
    module = f"{distribution.replace('-', '_')}_module"
    install(distribution, {DATASETS: {name: f"{module}:PATH"}}, {module: f"PATH = {str(card)!r}\n"})


def test_a_data_set_is_found_by_name_alias_and_path(install, tmp_path):
    card = write_card(tmp_path, aliases="zz-forms")
    publish(install, card, "zz-shapes")

    for name in ("zz-shapes", "zz-forms", str(card), card):
        assert load_dataset(name).name == "zz-shapes"
    assert "zz-shapes" in [found.name for found in list_datasets()]


def test_a_path_needs_no_registration(tmp_path, monkeypatch):
    write_card(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert load_dataset("zz-shapes.yaml").name == "zz-shapes"
    assert load_dataset("./zz-shapes.yaml").path == Path("zz-shapes.yaml")


def test_a_registered_name_wins_over_another_ones_alias(install, tmp_path):
    publish(install, write_card(tmp_path, "zz-one", aliases="zz-two"), "zz-one", "zz-data-one")
    publish(install, write_card(tmp_path, "zz-two"), "zz-two", "zz-data-two")
    assert load_dataset("zz-two").name == "zz-two"


def test_an_alias_of_two_is_refused_naming_both(install, tmp_path):
    publish(install, write_card(tmp_path, "zz-one", aliases="zz-same"), "zz-one", "zz-data-one")
    publish(install, write_card(tmp_path, "zz-two", aliases="zz-same"), "zz-two", "zz-data-two")
    with pytest.raises(UserError, match="'zz-same' is claimed by 'zz-one' and 'zz-two'"):
        load_dataset("zz-same")


def test_an_unknown_name_gets_the_nearest_spelling(install, tmp_path):
    publish(install, write_card(tmp_path), "zz-shapes")
    with pytest.raises(UserError, match=r"unknown dataset 'zz-shaeps'\. Did you mean 'zz-shapes'"):
        load_dataset("zz-shaeps")


def test_a_broken_card_is_listed_with_its_line_and_disturbs_nobody(install, tmp_path):
    before = {card.name for card in list_datasets()}
    card = write_card(tmp_path)
    card.write_text(card.read_text().replace("kind: object", "kind: planet"))
    publish(install, card, "zz-shapes")

    assert {found.name for found in list_datasets()} == before
    assert "zz-shapes" in dataset_names()
    reasons = {plugin.name: plugin.reason for plugin in broken_datasets()}
    assert "line 3: field kind" in reasons["zz-shapes"]
    with pytest.raises(UserError, match="dataset 'zz-shapes' is broken"):
        load_dataset("zz-shapes")


def test_a_card_under_another_name_is_broken(install, tmp_path):
    publish(install, write_card(tmp_path, "zz-other"), "zz-shapes")
    with pytest.raises(UserError, match="calls itself 'zz-other'"):
        load_dataset("zz-shapes")


ROLES = ("generator", "encoder", "judge_clip", "judge_identity", "perceptual", "features", "oracle")
PARTS = {
    "an image source": ", world: somewhere:World",
    "evaluation prompts": ", prompts: [{id: old, target: an old face}]",
}


def _resolve_auto(folder, caplog, networks, parts):
    """The tier that auto means where the full one has these networks and parts, and what was said about it."""
    caplog.clear()
    path = write_card(folder)
    named = ", ".join(f"{role}: {role}.bin" for role in networks)
    full = f"  full: {{resolution: 8, networks: {{{named}}}, splits: {{evaluation: 2}}{''.join(parts)}}}\n"
    path.write_text(path.read_text().partition("  full:")[0] + full)
    with caplog.at_level(logging.INFO, "textedit_bench"):
        return resolve_tier(load_dataset(path), "auto"), caplog.text


def test_auto_is_full_only_where_every_file_and_part_is_there(tmp_path, caplog):
    assert _resolve_auto(tmp_path, caplog, ROLES, PARTS.values()) == ("mini", ""), "nobody expects the full tier yet"
    (tmp_path / "generator.bin").touch()
    tier, said = _resolve_auto(tmp_path, caplog, ROLES, PARTS.values())
    assert tier == "mini"
    assert said.endswith("missing encoder\n")

    for role in ROLES:
        (tmp_path / f"{role}.bin").touch()
    assert missing_network(load_dataset(tmp_path / "zz-shapes.yaml"), "full") is None
    assert _resolve_auto(tmp_path, caplog, ROLES, PARTS.values()) == ("full", "")
    for name, part in PARTS.items():
        tier, said = _resolve_auto(tmp_path, caplog, ROLES, set(PARTS.values()) - {part})
        assert (tier, f"missing {name}" in said) == ("mini", True)
    for role in ROLES:
        tier, said = _resolve_auto(tmp_path, caplog, set(ROLES) - {role}, PARTS.values())
        assert (tier, f"missing a network for the role {role}\n" in said) == ("mini", True)


def test_auto_without_a_usable_tier_says_what_is_missing(tmp_path):
    card = load_dataset(write_card(tmp_path, tiers=("full",)))
    with pytest.raises(UserError, match="missing generator"):
        resolve_tier(card, "auto")


@pytest.mark.parametrize("tier", ["mini", "full"])
def test_a_named_tier_is_taken_as_it_is(tmp_path, tier):
    assert resolve_tier(load_dataset(write_card(tmp_path)), tier) == tier


def test_an_unknown_tier_names_the_valid_ones(tmp_path):
    card = load_dataset(write_card(tmp_path, tiers=("mini",)))
    with pytest.raises(UserError, match=r"'min'. Did you mean 'mini'\? Valid: auto, mini$"):
        resolve_tier(card, "min")
    with pytest.raises(UserError, match=r"Valid: auto, mini$"):
        resolve_tier(card, "full")


def test_prompts_of_an_unknown_split_are_refused():
    with pytest.raises(UserError, match=r"unknown split of prompts 'all'.*Valid: development, evaluation, train"):
        load_domain("ffhq").prompts("all")
