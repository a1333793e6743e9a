"""The report is valid HTML that loads nothing, escapes every text, keeps to its size and follows its rules."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import html5lib
import numpy as np
import pytest

from textedit_bench.errors import UserError
from textedit_bench.report.html_page.document import Contents
from textedit_bench.report.html_page.examples import disagreements, ordered_examples, worst_of_all
from textedit_bench.report.html_page.payload import embedded
from textedit_bench.report.html_page.thumbnails import ThumbnailBook
from textedit_bench.report.html_page.write import fit_page, write_picture_report
from textedit_bench.report.table import build_table
from textedit_bench.report.table_provenance import collect_stored
from textedit_bench.report.why import explain

EVIL = "</script><script>alert(1)</script> \" ' & <img src=x onerror=alert(2)> "


@pytest.fixture(scope="module")
def contents(tmp_path_factory, make_store):
    """A store full of evil words, its cells and table; computed once."""
    collected = collect_stored(make_store(tmp_path_factory.mktemp("evil"), words=EVIL, side=32), "mini")
    return Contents(tuple(collected), build_table("mini", collected).for_page())


@pytest.fixture(scope="module")
def page(contents):
    return fit_page(contents, 6, 15e6)[0]


def test_the_page_passes_a_strict_parser_and_holds_one_script(page):
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    kinds = [script.get("type") for script in tree.iter("script")]
    assert kinds == ["application/json", None]
    handlers = [name for node in tree.iter() for name in node.attrib if str(name).startswith("on")]
    assert handlers == []
    assert "Beta & <b>" in "".join(tree.find(".//table[@class='sortable']").itertext())
    names = [node.get("id") for node in tree.iter() if node.get("id")]
    assert len(set(names)) == len(names)


def test_the_page_loads_nothing_and_may_not(page):
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    loaded = [node.get(name) for node in tree.iter() for name in ("src", "href", "data", "action") if node.get(name)]
    assert loaded and all(link.startswith(("data:image/webp", "#")) for link in loaded)
    policy = next(meta.get("content") for meta in tree.iter("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;") and "unsafe" not in policy
    for kind, node in (("style", tree.find(".//style")), ("script", tree.findall(".//script")[-1])):
        digest = base64.b64encode(hashlib.sha256(node.text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not any(node.get("style") for node in tree.iter())  # a style of its own would not be allowed
    assert "url(http" not in page and "@import" not in page


def test_every_part_that_scrolls_can_be_reached_and_is_named(page):
    tree = html5lib.parse(page, namespaceHTMLElements=False)
    parts = [node for node in tree.iter("div") if node.get("class") == "scroll"]
    assert {part.find("table").get("class") for part in parts} == {"sortable"}
    assert all((part.get("tabindex"), part.get("role")) == ("0", "region") and part.get("aria-label") for part in parts)


def test_json_cannot_end_its_script():
    assert "<" not in embedded({"a": "</script><!--"}) and "&" not in embedded("&amp;")


def test_fewer_images_are_shown_where_the_page_would_be_too_large(contents):
    whole, images = fit_page(contents, 6, 15e6)
    limit = len(whole.encode()) - 2000
    small, fewer = fit_page(contents, 6, limit)
    assert images == 6 and 1 <= fewer < 6 and len(small.encode()) <= limit
    with pytest.raises(UserError, match="larger than"):
        fit_page(contents, 6, 5000)


def test_equal_pictures_are_stored_once_and_large_ones_are_reduced():
    book = ThumbnailBook(largest=16)
    picture = np.zeros((32, 32, 3), np.uint8)
    assert book.add([picture, picture]) == book.add([picture, picture]) == 0
    assert book.add([picture + 9, picture]) == 1 and len(book.uris) == 2


def test_examples_follow_their_rule(store):
    (part,) = collect_stored(store, "mini")
    for examples in ordered_examples(part).values():
        values = [float(e.caption.split(": ")[1]) for e in examples]
        assert [e.caption.split(":")[0] for e in examples] == ["worst", "median", "best"]
        assert values == sorted(values)
    lowest = sorted(float(each[0].caption.split(": ")[1]) for each in ordered_examples(part).values())
    assert [float(e.caption.rsplit(": ", 1)[1]) for e in worst_of_all(part)] == lowest[:3]
    found = disagreements(part)
    assert found and len({(e.cell.digest) for e in found}) == len(found)


def test_nothing_stored_is_bad_input(tmp_path, store):
    from textedit_bench.bench.store import Store

    with pytest.raises(UserError, match="run bench first"):
        write_picture_report(Store(tmp_path / "none"), "mini")
    with pytest.raises(UserError, match="Valid: d"):
        write_picture_report(store, "mini", datasets=["e"])


def test_a_place_where_nothing_can_be_written_is_refused_before_any_work(tmp_path, store, monkeypatch):
    monkeypatch.setattr("textedit_bench.report.html_page.write.fit_page", None)  # no page may be made
    (tmp_path / "file").touch()
    (tmp_path / "with" / "plots").parent.mkdir()
    (tmp_path / "with" / "plots").touch()
    for output in (tmp_path, tmp_path / "file" / "x.html", Path("/proc/x.html"), tmp_path / "with" / "x.html"):
        with pytest.raises(UserError, match=r"output .* (is a folder|is not a folder that can be written)"):
            write_picture_report(store, "mini", output=output)


def test_a_page_in_a_new_folder_is_written(tmp_path, store):
    assert write_picture_report(store, "mini", output=tmp_path / "new" / "x.html", plots=False).path.is_file()


def test_why_leads_from_an_entry_to_its_values(store):
    (entry,) = explain(store, "mini", "m1/d/clip_direction/trained")
    assert entry.n == 12 and len(entry.values) == 12 and entry.low <= entry.value <= entry.high
    assert entry.value == pytest.approx(entry.values["value"].mean())
    assert [run.prompt_id for run in entry.runs] == ["p0", "p1"]
    assert entry.runs[0].command == "textedit-bench bench -m x"
    assert entry.to_json()["values"][0]["state"] == "ok"
    by_digest = explain(store, "mini", entry.runs[0].digest[:12])
    assert {why.address.split("/")[0] for why in by_digest} == {"m1"}


def test_why_of_a_data_set_without_reference_photos_leaves_out_what_compares_with_them(make_store, tmp_path):
    own = make_store(tmp_path)
    (features,) = tmp_path.glob("mini/d/_inputs/*/features.npz")
    with np.load(features) as stored:
        kept = {name: stored[name] for name in stored.files if name != "reference"}
    np.savez(features, **kept)
    with pytest.raises(UserError, match=r"metric measured on d, tier mini, 'fid_real'.*success"):
        explain(own, "mini", "m1/d/fid_real")
    (entry,) = explain(own, "mini", "m1/d/success/trained")
    found = explain(own, "mini", entry.runs[0].digest)
    assert {why.address.split("/")[2] for why in found} == {
        "success",
        "preservation",
        "clip_score",
        "clip_direction",
        "identity",
    }


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("m9/d/success", "Valid: m0, m1, m2"), ("m1/x/success", "Valid: d"), ("m1/d/sucess", "Did you mean 'success'"),
        ("m1/d/success/new", "Valid: trained, unseen"), ("m1/d", "METHOD/DATASET/METRIC"), ("zzz", "no cell"),
    ],
)  # fmt: skip
def test_why_says_which_part_of_an_address_is_wrong(store, address, message):
    with pytest.raises(UserError, match=re.escape(message)):
        explain(store, "mini", address)
