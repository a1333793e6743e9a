"""Rows that were measured alike share a board, others never do; files are added and never changed."""

from __future__ import annotations

import html5lib
import pytest

from textedit_bench.cli.main import main
from textedit_bench.errors import UserError
from textedit_bench.leaderboard.board import add_files, boards_of, write_page


def _rows(board):
    return [(line.title, line.setting) for line in board.lines if not line.control]


def test_rows_of_labs_that_measured_alike_share_a_board(lab):
    (board,) = boards_of([lab("One", methods=("alpha",)), lab("Two", methods=("beta", "gamma"))])
    assert _rows(board) == [("Method Alpha", "One"), ("Method Beta", "Two"), ("Method Gamma", "Two")]
    assert board.headings[2:] == ("Success, % ↑", "Preservation, % ↑", "Clip Score ↑", "Lpips ↓")
    controls = [line.control for line in board.lines]
    assert controls == sorted(controls) and any(controls)


@pytest.mark.parametrize(
    "other", [{"photos": "others"}, {"seed": 1}, {"protocol": "v2"}, {"images": 7}, {"dataset": "cat"}]
)
def test_what_was_measured_otherwise_never_shares_a_board(lab, other):
    boards = boards_of([lab("One", methods=("alpha",)), lab("Two", methods=("beta",), **other)])
    assert sorted(_rows(board)[0] for board in boards) == [("Method Alpha", "One"), ("Method Beta", "Two")]
    assert len(boards) == 2 and boards[0].notes != boards[1].notes


def test_the_same_figures_are_shown_once_and_others_of_the_same_runs_beside_them(lab):
    one = lab("One", methods=("alpha",))
    again = one.model_copy(update={"by": "Two"})
    assert _rows(boards_of([one, again])[0]) == [("Method Alpha", "One")]
    rows = [
        row.model_copy(update={"figures": {**row.figures, "success": (0.1, None, None, "success@v1")}})
        for row in one.rows
    ]
    (board,) = boards_of([one, one.model_copy(update={"by": "Two", "rows": rows})])
    assert _rows(board) == [("Method Alpha", "One"), ("Method Alpha", "Two")]


def test_files_are_added_in_their_order_and_never_changed(lab, tmp_path):
    one, two = lab("One", methods=("alpha",)), lab("Two", methods=("beta",))
    assert add_files(tmp_path, [one]) == [one]
    before = {path: path.read_bytes() for path in (tmp_path / "entries").iterdir()}
    assert add_files(tmp_path, [two, one]) == [one, two]
    assert all(path.read_bytes() == bytes_ for path, bytes_ in before.items())
    assert add_files(tmp_path, []) == [one, two]
    (path,) = before
    path.write_text(two.model_dump_json())
    with pytest.raises(UserError, match=r"it is not what log\.txt says"):
        add_files(tmp_path, [])
    path.write_text(one.model_dump_json().replace('"by":"One"', '"by":"Eve"'))
    with pytest.raises(UserError, match="the digest does not match"):
        add_files(tmp_path, [])
    path.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        add_files(tmp_path, [])


def test_a_page_of_folders_and_files_is_written_and_strangers_words_are_escaped(lab, store_results, tmp_path, capsys):
    evil = "</script><script>alert(1)</script> \" ' & <img src=x onerror=alert(2)>"
    file = tmp_path / "evil.json"
    file.write_text(lab(evil, methods=("beta",)).model_dump_json())
    store_results(tmp_path / "own", methods=("alpha",))
    assert main(["leaderboard", "build", str(tmp_path / "own"), str(file), "-o", str(tmp_path / "board")]) == 0
    assert "1 tables, 5 rows, 2 files" in capsys.readouterr().out
    page = (tmp_path / "board" / "index.html").read_text()
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    assert [script.get("type") for script in tree.iter("script")] == [None]
    assert not [name for node in tree.iter() for name in node.attrib if str(name).startswith("on")]
    assert evil in "".join(tree.find(".//table[@class='sortable']").itertext())
    policy = next(meta.get("content") for meta in tree.iter("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy


def test_what_no_page_may_hold_is_left_out_of_titles(lab, tmp_path):
    file = lab("One", methods=("alpha",))
    for run in file.runs.values():
        run["listing"]["title"] = "a\x1b[31m\x00b"
    page = write_page(tmp_path, boards_of([file])).read_text()
    assert "a[31mb" in page and "\x1b" not in page and "\x00" not in page


def test_the_same_files_give_the_same_page(lab, tmp_path):
    files = [lab("One", methods=("alpha",)), lab("Two", methods=("beta",))]
    (tmp_path / "again").mkdir()
    first, second = (write_page(folder, boards_of(files)).read_bytes() for folder in (tmp_path, tmp_path / "again"))
    assert first == second
