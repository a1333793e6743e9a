"""List the authors' anchors: texts of faces by class, in their order."""

from __future__ import annotations

from collections.abc import Mapping

PUBLISHED: Mapping[str, tuple[str, ...]] = {
    "gender": ("male", "female"),
    "hair color": ("black hair", "blond hair", "brown hair", "grey hair", "red hair"),
    "hair length": ("long hair", "short hair"),
    "hair style": ("curly hair", "straight hair", "bald", "wavy hair", "receding hairline"),
    "eye color": ("blue eyes", "brown eyes", "black eyes", "grey eyes", "green eyes"),
    "eye status": ("open eyes", "closed eyes"),
    "eye shape": ("narrow eyes", "wide eyes", "big eyes", "small eyes", "round eyes"),
    "nose shape": (
        "big nose",
        "long nose",
        "pointed nose",
        "small nose",
        "hooked nose",
        "short nose",
        "thick nose",
        "thin nose",
        "pinched nose",
        "flat nose",
    ),
    "face shape": ("pointy face", "round face", "square face", "oval face", "long face"),
    "skin color": ("white skin", "black skin", "yellow skin"),
    "mouth status": ("open mouth", "close mouth"),
    "mouth size": ("big mouth", "small mouth"),
    "eyebrows": (
        "round eyebrows",
        "high eyebrows",
        "arched eyebrows",
        "long eyebrows",
        "thick eyebrows",
        "dark eyebrows",
        "straight eyebrows",
        "thin eyebrows",
        "short eyebrows",
    ),
    "beard": ("goatee", "mustache", "no beard", "sideburns", "5 o'clock shadow"),
    "with earrings": ("with earrings",),
    "with makeup": ("with makeup",),
    "smiling": ("smiling",),
    "with lipstick": ("with lipstick",),
    "with wrinkles": ("with wrinkles",),
    "with glasses": ("with glasses",),
    "with bangs": ("with bangs",),
    "rosy cheeks": ("rosy cheeks",),
    "bags under eyes": ("bags under eyes",),
    "high cheekbones": ("high cheekbones",),
}
"""Class -> its texts. The first text of a class matters to ``aggregate=released``."""
