"""Facts about the control, without torch."""

from textedit_bench.info import MethodInfo

CARD = MethodInfo(
    name="no-edit",
    title="No edit (inversion)",
    paper="",
    arxiv="",
    editor="textedit_methods.no_edit.editor:NoEdit",
    space="w+",
    trains="none",
    strength_meaning="ignored: every strength returns the given codes",
    control=True,
    settings={"shows": "inversion"},
)
