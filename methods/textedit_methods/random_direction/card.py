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
    caveat={
        "mini": "about half of the energy of its step lies in directions that the mini generator ignores (the null "
        "space of w = (u, -u)), so at equal W+ length it moves the picture less than a step that avoids them."
    },
    # "matches": the runner runs this control once per method and fills in `lengths` and `space` from that method's
    # stored edits; `seed` is the cell's.
    settings={"matches": "step", "lengths": None, "space": "w+", "seed": 0},
    valid={"space": ("w+", "s")},
)
