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
    ],
)
def test_a_wrong_field_is_named_with_its_line(tmp_path, old, new, line, field):
    assert old in GOOD
    with pytest.raises(UserError) as caught:
        _read(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert f"line {line}: field {field}" in message
    assert "\n" not in message


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
