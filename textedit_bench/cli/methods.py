"""``textedit-bench methods``: list the installed methods."""

from __future__ import annotations

from textedit_bench.cli.options import Json
from textedit_bench.cli.output import print_broken, print_columns, print_json


def methods(json: Json = False) -> None:
    """List the installed methods and controls.

    \b
    Examples:
      textedit-bench methods
      textedit-bench methods --json
    """
    from textedit_bench.registry import broken_methods, list_methods

    cards, broken = list_methods(), broken_methods()
    if json:
        print_json(
            [{**card.to_json(), "broken": None} for card in cards]
            + [{"name": plugin.name, "origin": plugin.origin, "broken": plugin.reason} for plugin in broken]
        )
        return
    rows = [
        [card.name, card.title, "control" if card.control else "method", card.space, card.trains, card.arxiv]
        for card in cards
    ]
    print_columns(["NAME", "TITLE", "KIND", "SPACE", "TRAINS", "ARXIV"], rows)
    print_broken(broken)
