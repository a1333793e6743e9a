"""No letter of any language is an empty box on a picture or figure: a font that has it, or its code point."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from textedit_bench.data import lettering
from textedit_bench.data.lettering import characters, letters
from textedit_bench.report.figures.every import save_figure
from textedit_bench.report.sheet import SheetRow, draw_sheet
from textedit_bench.training.pictures import picture_grid

TEXTS = {"german": "größer", "greek": "Ωμέγα", "russian": "Привет", "hebrew": "שלום", "arabic": "مرحبا", "emoji": "😀"}
FAR = {"chinese": "明るい", "hindi": "नमस्ते", "korean": "밝은", "rare": "𒀀"}


def _drawn(text: str, font) -> bytes:
    page = Image.new("L", (600, 40), 255)
    ImageDraw.Draw(page).text((2, 2), text, font=font, fill=0)
    return page.tobytes()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_an_installed_font_has_is_drawn_with_it(text):
    shown, font = letters(text, 15)
    assert shown == text
    assert _drawn(shown, font) != _drawn("\uffff" * len(text), font)


def test_plain_texts_keep_the_font_that_they_had():
    from PIL import ImageFont

    assert _drawn(*letters("A face, 0.5", 15)) == _drawn("A face, 0.5", ImageFont.load_default(15))


@pytest.mark.parametrize("text", FAR.values(), ids=FAR)
def test_what_no_font_has_is_its_code_point(monkeypatch, text):
    only = [path for path in lettering.installed_fonts() if path.endswith("DejaVuSans.ttf")]
    monkeypatch.setattr(lettering, "installed_fonts", lambda: only)
    lettering.best_font.cache_clear()
    shown, _ = letters(f"a {text} b", 15)
    lettering.best_font.cache_clear()
    assert shown.startswith("a U+") and shown.endswith(" b") and shown.isascii()
    assert all(f"U+{ord(c):04X}" in shown for c in text)


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_no_text_is_drawn_with_a_font_that_lacks_its_letters(text):
    shown, font = letters(text, 12)
    path = getattr(font, "path", None)
    if isinstance(path, str):
        assert all(ord(c) in characters(path) for c in shown if not c.isspace())
    assert "\n" not in shown
    _drawn(shown, font)


def test_sheets_and_previews_show_them():
    tile = np.zeros((16, 16, 3), np.uint8)
    for text in [*TEXTS.values(), *FAR.values()]:
        pages = [draw_sheet(shown, [shown], [[SheetRow(shown, (tile,))]]) for shown in (text, "\uffff" * len(text))]
        assert pages[0].tobytes() != pages[1].tobytes()
    import torch

    assert picture_grid(["Привет"], torch.zeros(1, 1, 3, 96, 96)).size == (96, 110)


@pytest.mark.parametrize("ending", ["png", "pdf"])
def test_figures_warn_of_no_missing_letter(tmp_path, ending):
    figure = Figure()
    axis = figure.subplots()
    axis.plot([0, 1], label=FAR["chinese"])
    axis.set_title(" ".join([*TEXTS.values(), *FAR.values()]))
    axis.legend()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure, tmp_path / f"f.{ending}")
    assert (tmp_path / f"f.{ending}").stat().st_size > 1000
