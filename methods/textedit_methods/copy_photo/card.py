"""Facts about the control, without torch."""

from textedit_bench.info import MethodInfo

CARD = MethodInfo(
    name="copy-photo",
    title="Do nothing (photo)",
    paper="",
    arxiv="",
    editor="textedit_methods.copy_photo.editor:CopyPhoto",
    space="image",
    trains="none",
    strength_meaning="ignored: every strength returns the photo",
    control=True,
    settings={"shows": "photo"},
)
