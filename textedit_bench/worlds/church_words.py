"""Captions of the church world."""

from __future__ import annotations

from textedit_bench.worlds.captions import Wording, Words, cross

_WALLS = ("{} walls", "a {} facade", "a {} building", "{} church walls", "{} tower walls")
_ROOF = ("a {} roof", "a roof that is {}", "a roof of {} color", "a {} colored roof", "a {} church roof")
_DOOR = ("a {} door", "a door that is {}", "a door of {} color", "a {} colored door", "a {} church door")

CHURCH_WORDS = Words(
    subjects=("church", "cathedral", "chapel", "church building", "village church"),
    table={
        "lights": {
            "off": Wording(
                ("dark windows", "no lights", "windows without lights", "dark window glass", "black windows"),
                clauses=("without lights", "without lights on"),
                held_out=("dark glass windows", "no lit windows", "windows that are dark"),
            ),
            "on": Wording(
                ("lit windows", "lights on", "windows with lights", "yellow windows", "lit window glass"),
                adjectives=("lit",),
                clauses=("with the lights on", "with lights in the windows"),
                held_out=("lit glass windows", "windows that are lit", "yellow lights"),
            ),
        },
        "sky": {
            "day": Wording(
                ("a blue sky", "a day sky", "a daytime sky", "a bright blue sky", "a noon sky", "the sun at noon"),
                clauses=("by day", "in daytime", "at noon", "in the daytime"),
                held_out=("a bright day sky", "a sky at noon", "a blue daytime sky"),
            ),
            "sunset": Wording(
                ("a sunset", "a sunset sky", "an orange sky", "an evening sky", "the evening sun", "a dusk sky"),
                clauses=("at sunset", "at dusk", "in the evening", "in the evening sun"),
                held_out=("an orange sunset", "a sky at sunset", "an orange evening sky"),
            ),
            "night": Wording(
                ("a night sky", "a dark sky", "the moon", "stars", "a moon and stars", "a nighttime sky"),
                clauses=("at night", "by night", "at nighttime", "in the night"),
                held_out=("a dark night sky", "a sky at night", "the moon and the stars"),
            ),
        },
        "clouds": {
            "none": Wording(
                ("no clouds", "a clear sky", "a sky without clouds", "a sky that is clear", "no white clouds"),
                clauses=("without clouds", "without white clouds"),
                held_out=("no clouds in the sky", "a sky without white clouds"),
            ),
            "clouds": Wording(
                ("clouds", "white clouds", "a cloudy sky", "clouds in the sky", "two clouds", "a sky with clouds"),
                adjectives=("cloudy",),
                clauses=("with clouds behind", "with clouds in the sky"),
                held_out=("white clouds in the sky", "a sky with white clouds"),
            ),
        },
        "snow": {
            "none": Wording(
                ("no snow", "green grass", "a green lawn", "a green field", "no snow on the roof", "a summer lawn"),
                clauses=("without snow", "in summer", "in green grass"),
                held_out=("a lawn of green grass", "a green summer field", "no snow on the lawn"),
            ),
            "snow": Wording(
                ("snow", "snow on the roof", "a snowy roof", "white snow", "a snowy lawn", "winter snow"),
                adjectives=("snowy", "winter"),
                clauses=("in winter", "in snow", "in the snow"),
                held_out=("white winter snow", "snow on the lawn", "a snowy field"),
            ),
        },
        "walls": {
            "stone": cross(_WALLS, ("stone", "gray stone"), adjectives=("stone", "gray stone")),
            "brick": cross(_WALLS, ("brick", "red brick"), adjectives=("brick", "red brick")),
            "white": cross(_WALLS, ("white", "white marble"), adjectives=("white", "marble")),
            "wood": cross(_WALLS, ("wooden", "brown wood"), adjectives=("wooden", "brown wooden")),
        },
        "roof": {
            "red": cross(_ROOF, ("red", "bright red")),
            "blue": cross(_ROOF, ("blue", "cobalt blue")),
            "green": cross(_ROOF, ("green", "emerald green")),
            "black": cross(_ROOF, ("black", "jet black")),
        },
        "tower_top": {
            "steeple": Wording(
                ("a steeple", "a spire", "spires", "a pointed tower", "a pointed spire", "a tower with a spire"),
                clauses=("that has a steeple", "that has a spire"),
                held_out=("a pointed steeple", "a tower with a steeple", "a tower with a pointed spire"),
            ),
            "dome": Wording(
                ("a dome", "a round dome", "a round roof", "a tower with a dome", "a round tower roof", "domes"),
                clauses=("that has a dome",),
                held_out=("a dome on the tower", "a tower with a round dome", "a tower with a round roof"),
            ),
            "flat": Wording(
                (
                    "a flat tower",
                    "a tower with a flat top",
                    "a flat top",
                    "a flat tower top",
                    "a tower that is flat",
                    "a flat bell tower",
                ),
                clauses=("that has a flat tower", "that has a flat top"),
                held_out=("a tower with a top that is flat", "a flat church tower"),
            ),
        },
        "tower_front": {
            "plain": Wording(
                ("a plain tower", "a bare tower", "a plain tower wall", "a tower that is plain", "an empty tower wall"),
                clauses=("that has a plain tower", "that has a bare tower"),
                held_out=("a bare tower wall", "a tower that is bare", "an empty tower"),
            ),
            "clock": Wording(
                ("a clock", "a clock tower", "a tower clock", "a white clock", "a tower with a clock", "a big clock"),
                clauses=("that has a clock", "with a clock on the tower"),
                held_out=("a clock on the tower", "a white tower clock", "a tower with a big clock"),
            ),
            "rose": Wording(
                (
                    "a rose window",
                    "stained glass",
                    "a stained glass window",
                    "colored glass",
                    "a tower with a rose window",
                    "a pink and blue window",
                ),
                clauses=("that has a rose window", "with stained glass on the tower"),
                held_out=("a tower with stained glass", "a colored glass window", "a stained glass rose window"),
            ),
        },
        "windows": {
            "arched": cross(
                ("{} windows", "windows that are {}", "{} church windows", "walls with {} windows", "{} side windows"),
                ("arched", "tall arched"),
            ),
            "round": cross(
                ("{} windows", "windows that are {}", "{} church windows", "walls with {} windows", "{} side windows"),
                ("round", "big round"),
            ),
        },
        "door": {
            "red": cross(_DOOR, ("red", "crimson red")),
            "blue": cross(_DOOR, ("blue", "bright blue")),
            "brown": cross(_DOOR, ("brown", "chestnut brown")),
        },
        "trees": {
            "none": Wording(
                ("no trees", "no green trees", "a garden without trees", "no tree", "no trees in front"),
                clauses=("without trees", "without green trees"),
                held_out=("no trees left and right", "a garden without green trees"),
            ),
            "trees": Wording(
                ("trees", "green trees", "two trees", "trees in front", "a pair of trees", "a garden with trees"),
                clauses=("in trees", "with trees left and right", "with trees in front"),
                held_out=("two green trees", "green trees in the garden", "a garden with green trees"),
            ),
        },
    },
)
