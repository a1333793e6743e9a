"""Channels named in the authors' notebook, (layer, channel) including toRGB; only for NVIDIA's networks.

Of several channels of one name each is an edit by itself. No signs were published.
Source: betterze/StyleSpace, notebook; the last four of faces: estephe-arnaud/face-editing.
"""

from __future__ import annotations

Places = tuple[tuple[int, int], ...]

NAMED: dict[str, dict[str, Places]] = {
    "ffhq": {
        "black hair": ((12, 479),),
        "blond hair": ((12, 479), (12, 266)),
        "grey hair": ((11, 286),),
        "wavy hair": ((6, 500), (8, 128), (5, 92), (6, 394), (6, 323)),
        "bangs": ((3, 259), (6, 285), (5, 414), (6, 128), (9, 295), (6, 322), (6, 487), (6, 504)),
        "receding hairline": ((5, 414), (6, 322), (6, 497), (6, 504)),
        "smiling": ((6, 501),),
        "lipstick": ((15, 45),),
        "sideburns": ((12, 237),),
        "goatee": ((9, 421),),
        "earrings": ((8, 81),),
        "glasses": ((3, 288), (2, 175), (3, 120), (2, 97)),
        "suit": ((9, 441), (8, 292), (11, 358), (6, 223)),
        "gender": ((9, 6),),
        "hair": ((6, 364),),
        "eyebrows": ((8, 28),),
        "gaze": ((9, 409),),
        "eye make-up": ((12, 414),),
    },
    "car": {
        "front": ((8, 411),),
        "headlights": ((8, 441), (9, 355)),
        "grill": ((9, 191),),
        "trees": ((9, 108),),
        "grass": ((12, 107),),
        "sky": ((12, 76),),
        "hubcap": ((12, 113), (12, 439)),
        "colour": ((12, 142), (15, 227)),
        "logo": ((9, 185),),
        "wheel angle": ((8, 420),),
    },
}
