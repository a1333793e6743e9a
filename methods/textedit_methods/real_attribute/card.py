"""Facts about the control, without torch."""

from textedit_bench.info import MethodInfo

CARD = MethodInfo(
    name="real-attribute",
    title="Really has it (rendered)",
    paper="",
    arxiv="",
    editor="textedit_methods.real_attribute.editor:RealAttribute",
    space="image",
    trains="none",
    strength_meaning="ignored: every strength shows the photo as it is with the asked attribute",
    control=True,
    # "shows": the runner fills in `pictures` with what the renderer draws when the asked attribute is set.
    settings={"shows": "truth", "pictures": None},
)
