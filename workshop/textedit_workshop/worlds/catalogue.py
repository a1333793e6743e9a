"""The worlds there are. Networks that serve all of them are trained on all of them."""

from __future__ import annotations

from importlib import import_module

from textedit_bench.worlds.world import World

WORLDS = (
    "textedit_bench.worlds.faces:FaceWorld",
    "textedit_bench.worlds.cats:CatWorld",
    "textedit_bench.worlds.churches:ChurchWorld",
    "textedit_bench.worlds.cars:CarWorld",
)


def every_world() -> list[World]:
    """One of each, in a fixed order."""
    worlds: list[World] = []
    for entry in WORLDS:
        module, _, name = entry.partition(":")
        worlds.append(getattr(import_module(module), name)())
    return worlds
