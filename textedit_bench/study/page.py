"""The page of a study: pictures without names, questions in the words of the data set's kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textedit_bench.bench.store import Store
from textedit_bench.data.card import DatasetCard
from textedit_bench.data.destination import check_destination, check_folder
from textedit_bench.errors import UserError
from textedit_bench.files import write_json, write_text
from textedit_bench.report.collect import ComparableCells
from textedit_bench.report.control_checks import refuse_wrong_controls
from textedit_bench.report.html import render_self_contained
from textedit_bench.report.html_page.payload import embedded
from textedit_bench.report.html_page.thumbnails import ThumbnailBook, read_sources
from textedit_bench.report.table_provenance import collect_stored
from textedit_bench.study.design import Edit, Wanted, design
from textedit_bench.study.files import Key

LARGEST, SMALL = 512, 128  # sides of a picture in pixels: larger ones are reduced, smaller ones kept without loss


def write_study(store: Store, tier: str, card: DatasetCard, wanted: Wanted, output: Path | None) -> tuple[Path, Key]:
    """Write a study's page, in ``<results>/<tier>/`` or elsewhere, and its key beside it as ``.key.json``.

    Raises:
        UserError: too little is stored, a control is wrong, the photos are gone, or the files cannot be written.
    """
    page = output or store.root / tier / f"study-{card.name}.html"
    check_folder(page.parent)
    if page.parent.is_dir():
        check_destination(page, [".html"])
    (part,) = collect_stored(store, tier, [card.name])
    refuse_wrong_controls([part], store.root, tier)
    key, edits = design(part, wanted, tier)
    text = render_page(key, edits, part, card.kind)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_json(page.with_suffix(".key.json"), key.model_dump(mode="json"))
    write_text(page, text)
    return page, key


def render_page(key: Key, edits: Mapping[str, list[Edit]], part: ComparableCells, kind: str) -> str:
    """The whole page, for a data set of this kind; what its numbered trials and pictures are, only the key knows."""
    images = sorted({own[0].image for own in edits.values()})
    if (photos := read_sources(part, images)) is None:
        raise UserError(f"results of {part.dataset}: the photos are gone; bench again")
    book = ThumbnailBook(quality=90, largest=LARGEST, lossless=photos["photo"].shape[1] <= SMALL)
    trials = {
        name: {
            "question": trial.question,
            "words": trial.prompt,
            "photo": book.add([photos["photo"][images.index(edits[name][0].image)]]),
            "options": [book.add([edit.picture]) for edit in edits[name]],
        }
        for name, trial in key.trials.items()
    }
    return render_self_contained(
        "study.html",
        package="textedit_bench.study",
        title="Which picture?",
        scripts=["study.js"],
        styles=["study.css"],
        subject="person" if kind == "face" else kind,
        most=key.options,
        data=embedded({"study": key.study, "forms": key.forms, "trials": trials, "pictures": book.uris}),
    )
