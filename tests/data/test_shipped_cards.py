"""The cards that ship with the project: what both tiers promise."""

from __future__ import annotations

from pathlib import Path

import pytest

import textedit_datasets
from textedit_bench.assets.locate import network_architecture
from textedit_bench.assets.manifest import list_assets
from textedit_bench.data.card import JUDGES, read_card
from textedit_bench.domain import Domain
from textedit_methods.ffclip.card import PUBLISHED_PHRASES
from textedit_methods.ffclip.training import training_phrases

FOLDER = Path(textedit_datasets.__file__).parent
NAMES = ["ffhq", "cat", "church", "car"]


def tier(name: str, which: str):
    return read_card(FOLDER / f"{name}.yaml").tier(which)


@pytest.mark.parametrize("which", ["mini", "full"])
@pytest.mark.parametrize("name", NAMES)
def test_every_split_of_prompts_is_filled_and_no_text_is_in_two(name, which):
    prompts = tier(name, which).prompts
    splits = {split: [p for p in prompts if p.split == split] for split in ("evaluation", "development", "train")}
    assert len(splits["evaluation"]) >= 12 and len(splits["development"]) >= 3 and splits["train"]
    assert all(p.source and p.group and p.phrase for p in prompts)
    assert len({p.target.lower() for p in prompts}) == len(prompts)
    # What a method was never trained on is measured apart, and a compound is part of that.
    unseen = [p for p in splits["evaluation"] if not p.trained]
    assert len(unseen) >= 4 and any(p.group == "compound" for p in unseen)
    assert all(p.trained for p in splits["train"])


@pytest.mark.parametrize("name", NAMES)
def test_both_tiers_say_the_same_about_who_used_a_phrase(name):
    mini, full = tier(name, "mini").prompts, tier(name, "full").prompts
    same = [(a, b) for a in mini for b in full if a.id == b.id or a.phrase.casefold() == b.phrase.casefold()]
    assert same
    assert [(a.id, a.used_by, b.used_by) for a, b in same if {*a.used_by} != {*b.used_by}] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_full_tier_names_every_judge_as_a_known_asset(name):
    full = tier(name, "full")
    assert set(JUDGES) <= set(full.networks)
    assert set(full.networks.values()) <= set(list_assets())
    assert full.networks["judge_clip"] != full.networks["clip"]
    assert full.networks["judge_identity"] != full.networks["identity"]


def test_the_judging_clip_is_told_its_architecture():
    card = read_card(FOLDER / "ffhq.yaml")
    assert network_architecture(card, "clip-l14-datacomp") == "ViT-L-14"
    assert network_architecture(card, "clip-b32") is None
    assert network_architecture(card, "weights/shared/clip.safetensors") is None


@pytest.mark.parametrize(("name", "total"), [("ffhq", 53), ("car", 9)])
def test_the_published_training_list_is_kept_with_its_repeats(name, total):
    domain = Domain(read_card(FOLDER / f"{name}.yaml"), "full")
    counts = training_phrases(domain)
    assert counts == PUBLISHED_PHRASES[name] and sum(counts.values()) == total
