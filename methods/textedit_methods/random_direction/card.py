"""Facts about the control, without torch."""

from textedit_bench.info import MethodInfo

CARD = MethodInfo(
    name="random-direction",
    title="Random direction",
    paper="",
    arxiv="",
    editor="textedit_methods.random_direction.editor:RandomDirection",
    space="w+",
    trains="none",
    strength_meaning="factor on the step; 1 has the length of the compared method's step at its default strength",
    control=True,
    # "matches": the runner runs this control once per method and fills in `lengths` and `space` from that method's
    # stored edits; `seed` is the cell's.
    settings={"matches": "step", "lengths": None, "space": "w+", "seed": 0},
)
