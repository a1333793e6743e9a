"""Define a prompt."""

from __future__ import annotations

from dataclasses import dataclass, replace

ATTRIBUTE = r"^[^=,]+=[^=,]+(,[^=,]+=[^=,]+)*$"
"""Format of ground truth, parsed by `Prompt.asked`."""


@dataclass(frozen=True)
class Prompt:
    """One edit request, in the forms that methods need.

    Attributes:
        target: full description of the edited image, such as ``"a face with blond hair"``.
        source: description of the image before the edit, such as ``"a face"``.
        phrase: the words of the edit alone, such as ``"blond hair"``; `words` falls back to ``target`` if it is None.
        group: attribute group for grouped tables, such as ``"hair colour"``.
        attribute: ground truth of the mini tier as ``"name=value"``, several joined by ``","`` (`ATTRIBUTE`); never
            shown to a method that trains or edits.
    """

    target: str
    source: str | None = None
    phrase: str | None = None
    group: str | None = None
    attribute: str | None = None

    @property
    def words(self) -> str:
        """The phrase if there is one, else the target."""
        return self.phrase if self.phrase is not None else self.target

    @property
    def without_truth(self) -> Prompt:
        """Return the prompt as given to methods: without the ground-truth attributes."""
        return replace(self, attribute=None)

    @property
    def asked(self) -> dict[str, str]:
        """Requested ground-truth attributes, name -> value; empty if unknown."""
        if not self.attribute:
            return {}
        return dict(part.strip().split("=", 1) for part in self.attribute.split(","))
