"""The lists of assets: every one of them is complete, and a wrong one names asset and field."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

import textedit_datasets
from textedit_bench.assets.locate import missing_files
from textedit_bench.assets.manifest import get_asset, list_assets, read_list
from textedit_bench.assets.own import list_own, own_asset
from textedit_bench.data.card import read_card
from textedit_bench.errors import UserError
from textedit_bench.registry import list_datasets, list_methods


def test_every_network_of_a_full_tier_is_a_file_beside_its_card_or_a_known_asset():
    known = list_assets()
    for card in list_datasets():
        if "full" in card.tiers:
            named = set(card.tier("full").networks.values())
            assert {name for name in named if not (card.path.parent / name).is_file()} <= set(known)


USES = {"every method", "metrics", "e4e training", "face alignment", "fallback", "optional", "nobody"}


def test_every_asset_has_a_user_that_is_a_method_or_a_data_set_or_a_use(home):
    assert [asset.id for asset in list_assets().values() if not asset.used_by] == []
    planned = {"styleclip-optimization", "styleclip-mapper", "styleclip-global", "clip2gan", "ffclip", "deltaedit"}
    users = {user for asset in list_assets().values() for user in asset.used_by}
    cards = {path.stem for path in files(textedit_datasets).iterdir() if path.name.endswith(".yaml")}
    assert users <= USES | planned | cards | {card.name for card in list_methods()}


def test_exactly_the_licences_that_name_a_restriction_ask_for_acceptance():
    restricts = re.compile(r"\bNC\b|non-commercial|exclude commercial")
    for asset in list_assets().values():
        assert asset.non_commercial == bool(restricts.search(asset.licence)), asset.id


def test_what_can_be_fetched_is_found_by_its_file_name_where_that_is_unique():
    assert get_asset("e4e_ffhq_encode.pt").id == "e4e-ffhq"
    with pytest.raises(UserError, match="is the file of several: sg2-car-ros, sg2-car-3p"):
        get_asset("stylegan2-car-config-f.pt")
    with pytest.raises(UserError, match="Did you mean 'e4e-ffhq'"):
        get_asset("e4e-fhq")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1", "expected a list"),
        ("- {id: x, title: T, file: x.pt, licence: MIT}", "x: field .*no origin"),
        ("- {id: x, title: T, file: ../x, licence: MIT, url: 'https://a/b'}", "x: field file"),
        ("- {id: x, title: T, file: x, licence: MIT, url: 'file:///etc/passwd'}", "x: field url"),
        ("- {id: x, title: T, file: x, licence: MIT, url: 'https://a', unpack: ../up}", "below the data folder"),
        ("- {id: x, title: T, file: x, licence: MIT, url: 'https://a', sha256: abc}", "x: field sha256"),
        ("- !!python/object/apply:os.getcwd []", "cannot be read"),
    ],
)
def test_a_wrong_list_is_refused_naming_asset_and_field(tmp_path, text, said):
    (tmp_path / "list.yaml").write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        read_list(tmp_path / "list.yaml")
    assert len(str(caught.value).splitlines()) == 1


def test_an_own_asset_is_known_afterwards_and_may_be_named_by_a_card(home, tmp_path):
    (tmp_path / "g.bin").write_bytes(b"weights")
    with pytest.raises(UserError, match="--licence is needed"):
        own_asset("mine", tmp_path / "g.bin", licence=None, title=None, url=None)
    list_own(own_asset("mine", tmp_path / "g.bin", licence="MIT", title=None, url=None))
    assert get_asset("mine").bytes == 7
    card = tmp_path / "card.yaml"
    card.write_text(
        "{name: own, title: T, kind: object, neutral: a thing, tiers: {full: {resolution: 8, networks: "
        "{generator: mine, encoder: gone.pt}, splits: {evaluation: 2}, source: {kind: folder, path: pictures}}}}"
    )
    generator, encoder, images = missing_files(read_card(card), "full")
    assert f"generator (g.bin, from added by hand; added by hand, or put it at {home}" in generator
    assert encoder == f"encoder ({tmp_path / 'gone.pt'})"
    assert images == f"the images (folder pictures; expected at {home / 'data' / 'pictures'})"
