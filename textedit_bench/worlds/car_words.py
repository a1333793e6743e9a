"""Captions of the car world."""

from __future__ import annotations

from textedit_bench.worlds.captions import Wording, Words, cross

_PAINT = ("{} paint", "{} colored paint", "paint that is {}", "paint of {} color", "a {} hood", "{} doors")
_TYPE = ("a {} look", "the look of a {}", "{} features", "the doors of a {}", "{} doors")
_WHEELS = ("{} wheels", "{} rims", "wheels with {} rims", "a pair of {} wheels", "wheels that have {} rims")
_GLASS = ("{} windows", "{} glass", "windows that are {}", "windows of {} glass", "a {} window")
_LAMPS = ("{} headlights", "{} lamps", "headlights that are {}", "a pair of {} headlights", "lamps that are {}")
_BACK = ("{}", "{} behind", "{} in the background", "a background of {}", "a view of {}", "a backdrop of {}")
_GROUND = ("{}", "{} at the bottom", "a view of {} in front", "wheels on {}", "tires on {}")


def _painted(*colors: str) -> Wording:
    return cross(_PAINT, colors, adjectives=colors, clauses=tuple(f"painted {c}" for c in colors))


def _shaped(*names: str, adjectives: tuple[str, ...]) -> Wording:
    return cross(_TYPE, names, adjectives=adjectives, clauses=tuple(f"that is a {n}" for n in names))


CAR_WORDS = Words(
    subjects=("car", "vehicle", "automobile"),
    table={
        "body_color": {
            "red": _painted("red", "crimson"),
            "blue": _painted("blue", "cobalt blue"),
            "yellow": _painted("yellow", "golden yellow"),
            "white": _painted("white", "snow white"),
            "black": _painted("black", "jet black"),
        },
        "body_type": {
            "sedan": _shaped("sedan", "classic sedan", adjectives=("sedan",)),
            "suv": _shaped("jeep", "suv", adjectives=("suv", "jeep")),
            "pickup": _shaped("pickup", "pickup truck", adjectives=("pickup", "pickup truck")),
            "convertible": _shaped(
                "convertible", "roadster", adjectives=("convertible", "roadster", "open convertible")
            ),
        },
        "wheels": {
            "spoke": cross(_WHEELS, ("spoke", "silver spoke"), clauses=("on spoke wheels",)),
            "chrome": cross(_WHEELS, ("chrome", "full chrome"), clauses=("on chrome wheels",)),
            "black": cross(_WHEELS, ("black", "matte black"), clauses=("on black wheels",)),
        },
        "time": {
            "day": Wording(
                ("a day sky", "a blue sky", "a bright sky", "daytime", "the sun", "a sunny day", "the sun in the sky"),
                clauses=("by day", "in the daytime", "at noon", "on a sunny day"),
                held_out=("a sunny sky", "a bright blue sky", "a bright day"),
            ),
            "night": Wording(
                ("a night sky", "a dark sky", "a black sky", "stars", "the moon", "nighttime", "stars in the sky"),
                clauses=("by night", "at night", "in the nighttime", "on a dark night"),
                held_out=("a dark night sky", "the moon in the sky", "a black night"),
            ),
        },
        "headlights": {
            "off": Wording(
                ("no headlights on", "no lights on", "no lit lamps", "dark headlights", "headlights that are not on"),
                clauses=("without headlights on", "without any lights on", "with dark lamps"),
                held_out=("no lit headlights", "no lamps on", "lights that are not on"),
            ),
            "on": cross(
                _LAMPS,
                ("lit", "bright"),
                clauses=("with the headlights on", "with the lights on", "with headlights that are on"),
            ),
        },
        "spoiler": {
            "none": Wording(
                ("no spoiler", "no racing spoiler", "no spoiler behind", "no orange spoiler", "no big spoiler"),
                clauses=("without a spoiler", "without any spoiler", "that has no spoiler"),
                held_out=("no big racing spoiler", "not any spoiler"),
            ),
            "spoiler": Wording(
                ("a spoiler", "a racing spoiler", "a spoiler behind", "an orange spoiler", "a big spoiler"),
                clauses=("that has a spoiler", "having a spoiler"),
                held_out=("a big racing spoiler", "an orange racing spoiler"),
            ),
        },
        "stripes": {
            "none": Wording(
                ("no stripes", "no racing stripes", "no decals", "plain doors without stripes", "plain paint"),
                clauses=("without stripes", "without decals", "that has no stripes"),
                held_out=("plain doors without decals", "no stripe on the side"),
            ),
            "stripes": Wording(
                (
                    "stripes",
                    "racing stripes",
                    "decals",
                    "turquoise stripes",
                    "side stripes",
                    "a stripe on the side",
                    "doors with stripes",
                ),
                adjectives=("striped",),
                clauses=("that has stripes", "having racing stripes"),
                held_out=("turquoise racing stripes", "racing decals", "doors with decals"),
            ),
        },
        "roof_rack": {
            "none": Wording(
                ("no roof rack", "no rack", "a bare roof", "an empty roof", "a roof without a rack"),
                clauses=("without a roof rack", "without a rack on the roof"),
                held_out=("no rack on the roof", "a bare roof without a rack"),
            ),
            "rack": Wording(
                ("a roof rack", "a rack", "a rack on the roof", "a rack on top", "a roof with a rack", "a full rack"),
                clauses=("that has a roof rack", "having a rack on the roof"),
                held_out=("a full roof rack", "a full rack on the roof"),
            ),
        },
        "windows": {
            "clear": cross(_GLASS, ("clear", "light", "pale blue")),
            "tinted": cross(_GLASS, ("tinted", "dark", "black")),
        },
        "ground": {
            "road": cross(
                _GROUND, ("a road", "a gray road", "the road"), clauses=("on a road", "on the road", "on a gray road")
            ),
            "grass": cross(
                _GROUND, ("grass", "a lawn", "green grass"), clauses=("on grass", "on a lawn", "on the grass")
            ),
            "snow": cross(
                _GROUND, ("snow", "deep snow", "white snow"), clauses=("on snow", "in the snow", "on white snow")
            ),
            "beach": cross(
                _GROUND, ("a beach", "the beach", "a wide beach"), clauses=("on a beach", "on the beach", "by the sea")
            ),
        },
        "background": {
            "city": cross(_BACK, ("a city", "city towers", "tall towers"), clauses=("in a city", "in the city")),
            "forest": cross(_BACK, ("a forest", "trees", "green trees"), clauses=("in a forest", "in the forest")),
            "mountains": cross(
                _BACK,
                ("mountains", "a mountain", "purple mountains"),
                clauses=("in the mountains", "in front of mountains"),
            ),
        },
    },
)
