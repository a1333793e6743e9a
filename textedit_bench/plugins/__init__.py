"""Create new methods from templates: an installable package with a card, a working editor, a test and a README."""

from textedit_bench.plugins.skeleton import KINDS, Kind, Skeleton, next_commands, write_skeleton

__all__ = ["KINDS", "Kind", "Skeleton", "next_commands", "write_skeleton"]
