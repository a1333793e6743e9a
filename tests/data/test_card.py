"""Cards: what is accepted, and that every refusal names field and line."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textedit_bench.data.card import ROLES, read_card
from textedit_bench.errors import UserError

GOOD = """\
name: shapes
title: Shapes
kind: object
neutral: a shape
tiers:
  mini:
    resolution: 64
    networks:
      generator: g.safetensors
    splits: {train: 10, evaluation: 4}
    prompts:
      - {id: red, target: a red shape, source: a shape, phrase: red, attribute: colour=red}
      - id: round
        target: a round shape
"""


def _read(tmp_path, text):
    path = tmp_path / "card.yaml"
    path.write_text(text)
    return read_card(path)


def test_a_good_card_is_read(tmp_path):
    card = _read(tmp_path, GOOD)
    assert card.tier("mini").prompts[0].prompt().asked == {"colour": "red"}
    assert card.path == tmp_path / "card.yaml"
    assert card.bare_prompt("big").target == "a shape with big"


@pytest.mark.parametrize(
    ("old", "new", "line", "field"),
    [
        ("kind: object", "kind: planet", 3, "kind"),
        ("title: Shapes\n", "", 1, "title"),
        ("neutral: a shape", "neutral: a shape\nnuetral: x", 5, "nuetral"),
        ("resolution: 64", "resolution: 0", 7, "tiers.mini.resolution"),
        ("resolution: 64", "resolution: big", 7, "tiers.mini.resolution"),
        ("generator: g", "genarator: g", 8, "tiers.mini.networks"),
        ("evaluation: 4", "evaluation: many", 10, "tiers.mini.splits.evaluation"),
        ("id: round", "id: Round Thing", 13, "tiers.mini.prompts.1.id"),
        ("        target: a round shape\n", "", 13, "tiers.mini.prompts.1.target"),
        ("id: round", "id: red", 6, "tiers.mini"),
        ("  mini:", "  minni:", 6, "tiers.minni"),
        ("name: shapes", "name: Sh/apes", 1, "name"),
        ("neutral: a shape", 'neutral: ""', 4, "neutral"),
        ("generator: g.safetensors", 'generator: ""', 9, "tiers.mini.networks.generator"),
        ("networks:\n      generator: g.safetensors", "networks: {}", 8, "tiers.mini.networks"),
        ("splits: {train: 10, evaluation: 4}", "splits: {}", 10, "tiers.mini.splits"),
        ("evaluation: 4", "evaluation: 0", 10, "tiers.mini.splits.evaluation"),
        ("evaluation: 4", "evaluation: -5", 10, "tiers.mini.splits.evaluation"),
        ("evaluation: 4", "evaluation: true", 10, "tiers.mini.splits.evaluation"),
        ("resolution: 64", "resolution: true", 7, "tiers.mini.resolution"),
        ("target: a red shape", 'target: ""', 12, "tiers.mini.prompts.0.target"),
        ("phrase: red", 'phrase: "  "', 12, "tiers.mini.prompts.0.phrase"),
        ("colour=red", "red", 12, "tiers.mini.prompts.0.attribute"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(tmp_path, old, new, line, field):
    assert old in GOOD
    with pytest.raises(UserError) as caught:
        _read(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert f"line {line}: field {field}" in message
    assert "\n" not in message


def test_a_card_without_tiers_is_refused(tmp_path):
    with pytest.raises(UserError, match="line 5: field tiers"):
        _read(tmp_path, GOOD[: GOOD.index("tiers:")] + "tiers: {}\n")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("kind: folder, path: p, first: {train: 0, evaluation: 0}", "evaluation takes the positions 0 to 3"),
        ("kind: folder, path: p, first: {train: 0, evaluation: 9}", "train takes the positions 0 to 9"),
        ("kind: folder, path: p, first: {development: 30}", "'development' is not among the splits"),
        ("kind: samples, first: {train: 4}", "samples have no positions"),
        ("kind: folder, path: p, first: {train: -1}", "tiers.mini.source.first.train"),
    ],
)
def test_splits_that_overlap_or_do_not_exist_are_refused(tmp_path, source, said):
    with pytest.raises(UserError, match=r"line \d+: field tiers\.mini") as caught:
        _read(tmp_path, GOOD.replace("    networks:", f"    source: {{{source}}}\n    networks:"))
    assert said in str(caught.value)


def test_splits_in_any_order_with_room_between_them_are_fine(tmp_path):
    source = "    source: {kind: folder, path: p, first: {train: 0, evaluation: 10}}\n"
    tier = _read(tmp_path, GOOD.replace("    networks:", f"{source}    networks:")).tier("mini")
    assert (tier.region("train"), tier.region("evaluation")) == ((0, 10), (10, None))


def test_a_key_that_stands_twice_is_refused_with_its_line(tmp_path):
    with pytest.raises(UserError, match=r"line 4: not valid YAML \(the key 'kind' stands twice in one mapping\)"):
        _read(tmp_path, GOOD.replace("kind: object\n", "kind: object\nkind: face\n"))


def test_a_merged_mapping_may_be_changed_where_it_is_used(tmp_path):
    text = GOOD.replace("  mini:", "  mini: &mini").replace("networks:", "networks: &networks")
    text += "  full:\n    <<: *mini\n    resolution: 128\n    networks: {<<: *networks, generator: other.pt}\n"
    card = _read(tmp_path, text)
    assert card.tier("full").resolution == 128 and card.tier("full").splits == card.tier("mini").splits
    assert card.tier("full").networks == {"generator": "other.pt"}


def test_the_roles_are_named_where_one_is_unknown(tmp_path):
    with pytest.raises(UserError) as caught:
        _read(tmp_path, GOOD.replace("generator: g", "genarator: g"))
    assert "'genarator'" in str(caught.value)
    assert all(role in str(caught.value) for role in ROLES)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected a mapping"),
        ("- a\n- b\n", "expected a mapping"),
        ("name: [\n", "line 2: not valid YAML"),
        ("name: !!python/object/apply:os.getcwd []\n", "not valid YAML"),
        ("\tname: x", "line 1: not valid YAML"),
    ],
)
def test_what_is_no_card_at_all_is_refused(tmp_path, text, problem):
    with pytest.raises(UserError, match="card ") as caught:
        _read(tmp_path, text)
    assert problem in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.yaml: cannot be read"):
        read_card(tmp_path / "nowhere.yaml")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3),
    max_leaves=8,
)
paths = st.sampled_from(
    [("name",), ("tiers",), ("tiers", "mini"), ("tiers", "mini", "splits"), ("tiers", "mini", "prompts")]
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=paths, value=values)
def test_any_value_anywhere_is_read_or_refused_in_one_line(tmp_path, where, value):
    data = yaml.safe_load(GOOD)
    target = data
    for part in where[:-1]:
        target = target[part]
    target[where[-1]] = value
    _read_or_refuse(tmp_path, yaml.safe_dump(data, allow_unicode=True))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), cut=st.integers(0, len(GOOD)))
def test_any_damage_is_read_or_refused_in_one_line(tmp_path, text, cut):
    _read_or_refuse(tmp_path, GOOD[:cut] + text + GOOD[cut:])


def _read_or_refuse(tmp_path, text):
    path = tmp_path / "card.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        read_card(path)
    except UserError as error:
        assert str(path) in str(error)
        assert len(str(error).splitlines()) == 1
