"""The table's figures, ties and refusals, from records written by hand."""

from __future__ import annotations

import numpy as np
import pytest

from textedit_bench.metrics.column import bounds_of
from textedit_bench.metrics.frechet import fid
from textedit_bench.report.collect import CellFilter, collect
from textedit_bench.report.cost import cost_frame
from textedit_bench.report.intervals import image_figures
from textedit_bench.report.rows import MixedProtocolsError, make_rows
from textedit_bench.report.table import build_table

GOOD, BAD = [1] * 8, [0] * 8
NEAR, FAR = [0.10, 0.11, 0.12, 0.13] * 2, [0.50, 0.51, 0.52, 0.53] * 2


def row(table, method, prompt_set="trained"):
    frame = table.frame
    return frame[(frame["method"] == method) & (frame["prompt_set"] == prompt_set)].iloc[0]


def test_the_mean_is_over_images_whose_state_is_ok_at_the_default_strength(stored, collected):
    states = {"success": ["ok", "ok", "attribute hidden", "already so", "ok", "ok", "ok", "ok"]}
    cells = [
        stored("a", "p", {"success": [1, 0, 1, 1, 0, 0, 1, 0]}, states=states),
        stored("a", "q", {"success": GOOD}),
    ]
    found = row(build_table("mini", [collected(cells)]), "a")
    assert found["success"] == pytest.approx(10 / 14)
    assert (found["success_n"], found["success_left_out"]) == (14, 2)
    assert 0 <= found["success_low"] < 10 / 14 < found["success_high"] <= 1
    assert (found["prompts"], found["images"], found["edits"]) == (2, 8, 16)
    assert found["success_protocol"] == "success@v1"


def test_trained_and_unseen_prompts_have_rows_of_their_own(stored, collected):
    cells = [stored("a", "p", {"success": GOOD}), stored("a", "q", {"success": BAD}, trained=False)]
    table = build_table("mini", [collected(cells)])
    assert row(table, "a")["success"] == 1
    assert row(table, "a", "unseen")["success"] == 0


def test_the_best_and_the_tied_are_marked_and_controls_never(stored, collected):
    cells = []
    for prompt in "pqrstuvwx":
        cells += [stored("a", prompt, {"lpips": NEAR}), stored("b", prompt, {"lpips": NEAR[::-1]})]
        cells += [stored("c", prompt, {"lpips": FAR}), stored("still", prompt, {"lpips": BAD}, control=True)]
    table = build_table("mini", [collected(cells)])
    assert [bool(row(table, m)["lpips_best"]) for m in ("a", "b", "c", "still")] == [True, True, False, False]
    assert list(table.frame["method"]) == ["a", "b", "c", "still"]
    # Eight prompts, those of the quick protocol, are too small a sample.
    few = build_table("mini", [collected([cell for cell in cells if cell.identity.prompt_id != "x"])])
    assert not few.frame["lpips_best"].any()
    assert any("8 is too few to mark the best" in note for note in few.footnotes)


def test_nothing_is_best_of_one_and_in_loop_figures_are_not_ranked(stored, collected):
    alone = build_table("mini", [collected([stored("a", "p", {"lpips": NEAR})])])
    assert not alone.frame["lpips_best"].any()
    cells = [stored(m, "p2", {"clip_score_in_loop": v}) for m, v in (("a", GOOD), ("b", BAD))]
    assert not build_table("mini", [collected(cells)]).frame["clip_score_in_loop_best"].any()


def test_a_row_with_fewer_prompts_is_shown_but_not_ranked(stored, collected):
    cells = [stored(m, p, {"lpips": FAR}) for m in ("a", "b") for p in "pqrstuvwx"]
    part = collected([*cells, stored("few", "p", {"lpips": NEAR})])
    table = build_table("mini", [part])
    assert not row(table, "few")["lpips_best"]
    assert row(table, "a")["lpips_best"]
    assert np.isnan(row(build_table("mini", [part], ("fid_real",)), "few")["fid_real"])
    assert any("Few has 1 of 9 trained prompts" in note for note in table.footnotes)


def test_fid_is_that_of_all_edits_of_the_row_and_its_protocol_counts_them(stored, collected):
    draw = np.random.default_rng(0)
    features = [draw.normal(size=(2, 8, 2)) for _ in range(2)]
    cells = [stored("a", p, {"lpips": NEAR}, features=f) for p, f in zip(("p", "q"), features, strict=True)]
    part = collected(cells)
    assert "fid_real" not in build_table("mini", [part]).frame  # of few photos only where it is asked for
    found = row(build_table("mini", [part], ("fid_real",)), "a")
    reference = np.load(part.inputs / "features.npz")["reference"]
    assert found["fid_real"] == pytest.approx(fid(np.concatenate([f[1] for f in features]), reference))
    assert found["fid_real_low"] < found["fid_real"] < found["fid_real_high"]
    assert found["fid_real_protocol"] == "fid@v1+n=16+nref=9"


def test_two_protocols_in_one_column_are_refused(stored, collected):
    cells = [stored("a", "p", {"lpips": NEAR}), stored("a", "q", {"lpips": NEAR}, protocol="v2")]
    with pytest.raises(MixedProtocolsError, match=r"lpips on d .* lpips@v1 and lpips@v2"):
        build_table("mini", [collected(cells)])


def test_two_methods_with_two_protocols_are_refused_too(stored, collected):
    cells = [stored("a", "p", {"lpips": NEAR}), stored("b", "p", {"lpips": NEAR}, protocol="v2")]
    with pytest.raises(MixedProtocolsError, match="lpips@v1 and lpips@v2"):
        build_table("mini", [collected(cells)])


def test_settings_tell_rows_of_one_method_apart(stored, collected):
    cells = [stored("a", "p", {"lpips": NEAR}, settings={"beta": b, "depth": 4}) for b in (0.1, 0.3)]
    titles = build_table("mini", [collected(cells)]).frame["title"]
    assert list(titles) == ["A (beta=0.1)", "A (beta=0.3)"]


def test_collecting_takes_comparable_cells_of_the_current_weights(stored):
    old = stored("a", "p", {"lpips": FAR}, weights="old")
    new = stored("a", "p", {"lpips": NEAR}, weights="new", finished="2026-02-01T00:00:00+00:00")
    rescored = stored("b", "p", {"lpips": FAR}, protocol="v2")
    of_old = stored("r", "p", {"lpips": FAR}, matched=old, control=True)
    of_new = stored("r", "p", {"lpips": FAR}, matched=new, control=True)
    cells = [old, new, rescored, of_old, of_new]

    def chosen(own: frozenset[str]) -> set[str]:
        wanted = CellFilter(new.protocol_key, frozenset({"p"}), own, new.manifest.protocols)
        found = collect("d", cells, wanted)
        assert found.notes and "1 stored cells of d have older scores" in found.notes[0]
        return {cell.digest for cell in found.cells}

    assert chosen(frozenset()) == {new.digest, of_new.digest}
    assert chosen(frozenset({old.digest})) == {old.digest, of_old.digest}


def test_every_setting_of_a_method_keeps_its_own_matched_control(stored):
    rows = [stored("a", "p", {"lpips": NEAR}, settings={"step": step}) for step in (1.0, 0.5)]
    controls = [stored("r", "p", {"lpips": FAR}, matched=row, control=True) for row in rows]
    wanted = CellFilter(rows[0].protocol_key, frozenset(), frozenset(), rows[0].manifest.protocols)
    found = collect("d", [*rows, *controls], wanted)
    assert {cell.digest for cell in found.cells} == {cell.digest for cell in (*rows, *controls)}


def test_a_control_that_shows_another_prompts_edit_has_one_cell_per_prompt(stored):
    rows = {prompt: stored("a", prompt, {"lpips": NEAR}) for prompt in ("p", "q", "r")}
    # Two benches of different prompts: each has shown the edit of its own next prompt.
    first, second = (stored("x", "p", {"lpips": FAR}, matched=rows[name], control=True) for name in ("q", "r"))

    def chosen(own: frozenset[str]) -> set[str]:
        wanted = CellFilter(rows["p"].protocol_key, frozenset(), own, rows["p"].manifest.protocols)
        found = collect("d", [*rows.values(), first, second], wanted)
        assert all(np.isfinite(row.grid("lpips", row.prompts, found.images)).all() for row in found.rows)
        return {cell.digest for cell in found.cells if cell.identity.method == "x"}

    assert len(chosen(frozenset())) == 1
    assert [chosen(frozenset({cell.digest})) for cell in (first, second)] == [{first.digest}, {second.digest}]


def test_a_control_that_shows_other_prompts_edits_shows_each_once(stored):
    rows = {prompt: stored("a", prompt, {"lpips": NEAR}) for prompt in ("p", "q", "r")}

    def shows(prompt: str, edit: str):
        return stored("x", prompt, {"lpips": FAR}, matched=rows[edit], control=True)

    # A bench of p and q, and one of q and r: both have shown the edit for q.
    earlier, later = [shows("p", "q"), shows("q", "p")], [shows("r", "q"), shows("q", "r")]

    def chosen(own: frozenset[str]) -> set[str]:
        wanted = CellFilter(rows["p"].protocol_key, frozenset(), own, rows["p"].manifest.protocols)
        found = collect("d", [*rows.values(), *earlier, *later], wanted)
        return {cell.digest for cell in found.cells if cell.identity.method == "x"}

    for bench in (earlier, later):
        assert chosen(frozenset(cell.digest for cell in bench)) == {cell.digest for cell in bench}


def test_costs_are_per_edited_picture(stored, collected):
    frame = cost_frame([collected([stored("a", p, {"lpips": NEAR}) for p in ("p", "q")])])
    assert frame["edit_ms_per_edit"].tolist() == pytest.approx([10.0])
    assert frame["score_ms_per_edit"].tolist() == pytest.approx([30.0])
    assert frame["edits"].tolist() == [24]
    assert frame["host_peak_mib"].tolist() == [1.0]


def test_every_setting_of_a_method_has_its_own_costs(stored, collected):
    methods = [stored("a", p, {"lpips": NEAR}, settings={"step": step}) for p in "pq" for step in (1.0, 0.5)]
    copies = [
        stored("random-direction", m.identity.prompt_id, {"lpips": FAR}, matched=m, control=True) for m in methods
    ]
    part = collected([*methods, *copies])
    frame = cost_frame([part])
    assert frame["edits"].tolist() == [24] * 4
    named = frame["title"] + frame["matched"].map(lambda name: name and f", step of {name}")
    assert sorted(named) == sorted(row.title for row in part.rows)


def test_a_curve_has_one_mean_per_strength(stored):
    row = make_rows([stored("a", p, {"success": v}) for p, v in (("p", GOOD), ("q", BAD))])[0]
    points = row.curve(("success",))
    assert points.index.tolist() == [0.0, 1.0]
    assert points["success"].tolist() == [-99.0, 0.5]
    assert row.curve(("success", "preservation")).empty  # one of them was never measured


def test_the_agreement_of_the_oracles_is_a_footnote(stored, collected):
    cells = [stored(m, "p", {"oracles_agree": v}) for m, v in (("a", GOOD), ("b", [1, 0] * 4))]
    table = build_table("mini", [collected(cells)])
    assert "d: the two oracles agree on 75.0 % of attributes over 16 edits (all rows)." in table.footnotes
    without = build_table("mini", [collected([stored("c", "p", {"lpips": NEAR})])])
    assert not any("oracles" in note for note in without.footnotes)


def test_a_caveat_is_a_footnote_once_and_with_the_title_of_its_row(stored, collected):
    cells = [stored("a", p, {"lpips": NEAR}, trained=p == "p", caveat="half of it is lost.") for p in ("p", "q")]
    notes = build_table("mini", [collected([*cells, stored("b", "p", {"lpips": NEAR})])]).footnotes
    assert [note for note in notes if "half of it is lost" in note] == ["A: half of it is lost."]


def test_rows_that_say_the_same_share_a_footnote(stored, collected):
    cells = [stored(name, p, {"lpips": NEAR}, caveat="half of it is lost.") for name in "ab" for p in "pq"]
    cells += [stored(name, "p", {"lpips": NEAR}) for name in "cd"]
    notes = build_table("mini", [collected(cells)]).footnotes
    assert [note for note in notes if "half of it is lost" in note] == ["A; B: half of it is lost."]
    assert [n for n in notes if "they are" in n] == ["C; D have 1 of 2 trained prompts on d; they are not ranked."]


def test_texts_without_ground_truth_are_named(stored, collected):
    nothing = {"success": ["no ground truth"] * 8}
    cells = [
        stored("a", "known", {"success": GOOD}),
        stored("a", "wings", {"success": BAD}, states=nothing, attribute=None),
    ]
    table = build_table("mini", [collected(cells)])
    assert row(table, "a")["success_n"] == 8
    (said,) = [note for note in table.footnotes if "'wings'" in note]
    assert said.startswith("d: what 'wings' should change is not known") and "'known'" not in said
    assert not any("hidden, or already so" in note for note in table.footnotes)


def test_a_rate_without_any_success_has_an_interval(stored, collected):
    found = row(build_table("mini", [collected([stored("a", p, {"success": BAD}) for p in "pqrstuvwx"])]), "a")
    assert found["success_low"] == 0
    assert found["success_high"] == pytest.approx(1 - 0.025 ** (1 / 8))


@pytest.mark.parametrize("name", ["success", "preservation", "r_precision", "same_subject"])
def test_no_rate_of_a_table_is_certain_after_a_few_pictures(name):
    options = {"higher_is_better": True, "bounds": bounds_of(name), "seed": 0}
    figure = image_figures(np.zeros((1, 12, 8)), [True], **options)[0]
    assert figure.low == 0 and figure.high == pytest.approx(1 - 0.025 ** (1 / 8))


def test_a_table_says_which_difference_it_can_tell(stored, collected):
    draw = np.random.default_rng(0)
    noise = [draw.normal(0.5, 0.1, 8) for _ in range(4)]
    cells = [stored(m, p, {"lpips": noise[2 * i + j]}) for i, m in enumerate("ab") for j, p in enumerate("pq")]
    said = [
        note for note in build_table("mini", [collected(cells)]).footnotes if "is found with 90% probability" in note
    ]
    assert len(said) == 1 and said[0].startswith("d, trained prompts: a true difference of 0.")
    # Methods that agree everywhere say nothing about their scatter.
    same = [stored(m, "p", {"lpips": NEAR}) for m in ("c", "e")]
    assert not any("is found with" in note for note in build_table("mini", [collected(same)]).footnotes)


def test_the_page_shows_methods_best_first_and_controls_last_in_every_block(stored, collected):
    cells = [
        stored("low", "p", {"lpips": [0.9] * 8}), stored("best", "p", {"lpips": [0.1] * 8}),
        stored("best", "q", {"lpips": [0.8] * 8}, trained=False),
        stored("low", "q", {"lpips": [0.2] * 8}, trained=False),
        stored("nothing", "p", {"lpips": [0.0] * 8}, control=True),
        stored("nothing", "o", {"lpips": [0.0] * 8}, control=True),
        stored("low", "o", {"lpips": [0.9] * 8}), stored("best", "o", {"lpips": [0.1] * 8}),
        stored("apart", "o", {"lpips": [0.0] * 8}),
    ]  # fmt: skip
    part = collected(cells)
    table = build_table("mini", [part], ("lpips",)).for_page()
    assert list(table.frame["title"]) == ["Best", "Low", "Apart", "Nothing", "Best", "Low"]  # it has fewer prompts
    assert table.titles("d") == ["Best", "Low", "Apart", "Nothing"] and table.columns[0].title == "LPIPS, to photo"
    part.put_in_order(table.titles("d"))
    assert [(row.title, row.prompt_set) for row in part.rows[3:5]] == [("Nothing", "trained"), ("Best", "unseen")]
