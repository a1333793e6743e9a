"""Facts about the control, without torch."""

from textedit_bench.info import MethodInfo

CARD = MethodInfo(
    name="wrong-prompt",
    title="Wrong prompt",
    paper="",
    arxiv="",
    editor="textedit_methods.wrong_prompt.editor:WrongPrompt",
    space="image",
    trains="none",
    strength_meaning="the compared method's edit for another prompt at the same strength, judged against this one",
    control=True,
    # "matches": the runner runs this control once per method and fills in `pictures` from that method's stored edits
    # for another prompt.
    settings={"matches": "other prompt", "pictures": None},
)
