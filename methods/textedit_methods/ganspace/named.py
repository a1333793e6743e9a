"""Edits named by the authors: component, rows from START to before END, deviations, form.

They belong to the authors' components of a data set; with others the same numbers mean nothing.
Source: harskish/ganspace, the notebooks of the paper's edits and teaser. A number of the first is half the width of a
strip around the picture, its sign the way to what the name says.
"""

from __future__ import annotations

from typing import NamedTuple

from textedit_methods.ganspace.components import Form


class Edit(NamedTuple):
    """One edit; ``deviations`` are those of strength 1."""

    component: int
    start: int
    end: int
    deviations: float
    form: Form = "offset"


def _edits(table: str, form: Form = "offset") -> dict[str, Edit]:
    """Parse edits: ``name: component start end deviations; ...``."""
    found = {}
    for entry in table.split(";"):
        name, _, numbers = entry.partition(":")
        component, start, end, deviations = numbers.split()
        found[" ".join(name.split())] = Edit(int(component), int(start), int(end), float(deviations), form)
    return found


_FACES = """
disgusted: 43 6 8 -20; makeup: 0 8 9 9; big smile: 19 4 5 10; scary eyes: 33 6 8 -20; bald: 21 2 5 18.2;
bright background: 13 8 9 13; curly hair: 47 3 6 -60; hair albedo: 16 8 9 -10.2; displeased: 36 4 7 10;
eyebrow thickness: 37 8 9 20; eye openness: 54 7 8 -30; face roundness: 37 0 5 20; fearful eyes: 54 4 10 -20;
hairline: 21 4 5 -13.6; happy frizzy hair: 30 0 8 20; head angle up: 11 1 4 -10.5; in awe: 23 3 6 -15;
large jaw: 22 3 6 -15; lipstick: 34 10 11 20; nose length: 51 4 5 -30; overexposed: 27 8 18 5; screaming: 35 3 7 -14.5;
short face: 32 2 6 -20; smile: 46 4 5 -20; smile 2: 36 4 6 -16; sunlight in face: 10 8 9 -8; trimmed beard: 58 7 9 -40;
forehead hair: 20 3 5 -9; light up or down: 25 8 9 -15
"""
_FACES_TEASER = """
frizzy hair: 31 2 6 20; background blur: 49 6 9 20; wide smile: 23 3 6 20; white hair: 57 7 10 -24;
wrinkles: 20 6 7 -18; dark hair: 16 8 9 20; lipstick and age: 34 6 11 20; mascara or beard: 41 6 9 20;
elderly woman: 34 6 7 20; boyishness: 8 2 5 20; head angle: 11 1 4 20; front teeth: 59 4 5 40
"""
_CARS = """
add grass: 41 9 11 -18; blocky shape: 16 3 6 25; autumn: 50 8 9 20; focal length: 15 0 4 -10; car model: 44 0 9 18.5;
reflections: 18 7 9 20; sports car: 10 3 7 -7.5; white car: 14 8 9 5.3; sunset: 38 7 16 20; flat or tall: 13 0 4 12;
front wheel turn: 32 5 6 20; side to front: 1 0 5 -2; image contrast: 37 7 16 20; sepia: 45 9 11 -20
"""
_CATS = """
eyes closed: 45 5 8 20; fluffiness: 27 2 5 20; head distance: 18 0 6 20; light position: 28 8 9 12.7
"""
_CHURCHES = """
clouds: 20 7 9 -20; direct sunlight: 8 7 9 -8.4; sun direction: 15 8 9 20; vibrant: 8 12 14 -20;
blue skies: 11 9 14 9.9; trees: 12 5 6 -19.1
"""

NAMED: dict[str, dict[str, Edit]] = {
    "ffhq": _edits(_FACES) | _edits(_FACES_TEASER, "absolute"),
    "car": _edits(_CARS) | _edits("redness: 22 9 11 -8", "absolute") | _edits("horizontal flip: 0 0 5 2", "inverted"),
    "cat": _edits(_CATS),
    "church": _edits(_CHURCHES),
}
