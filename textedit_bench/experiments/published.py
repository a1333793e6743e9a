"""A published value with its source and our confidence in it, and the base model of all parts of an experiment file."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, line ends among them, and those that turn the direction of what follows."""


def _printable(text: str) -> str:
    if found := _UNPRINTABLE.search(text):
        raise ValueError(f"holds the control character {found[0]!r}")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_printable)]
"""One line of text, which may be empty."""
Text = Annotated[Line, Field(min_length=1)]
Number = Annotated[float, Field(strict=True)]
"""A finite number; not a truth value and not a text that looks like one."""
Whole = Annotated[int, Field(strict=True)]


class Strict(BaseModel):
    """Frozen data without unknown fields, and with finite numbers only."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Confidence = Literal["seen", "secondhand", "computed", "unverified"]
"""``seen``: read in the source itself; ``secondhand``: in a text about it; ``computed``: by us, from arrays that the
authors released; ``unverified``: the table is known to exist, its value could not be read, so there is none."""


class Published(Strict):
    """One published value; matched with a measured one by data set, method, setting and metric."""

    dataset: Text
    """Our name of the data set."""
    method: Text
    """Registry name, or the published name if the method is not part of this benchmark."""
    setting: Line = ""
    metric: Text
    value: Number | None = None
    """None if it could not be verified; to add it, see the README of the experiment files."""
    high: Number | None = None
    """The upper end of a published range, ``value`` being its lower end."""
    source: Text
    """Paper and table."""
    confidence: Confidence
    protocol: Literal["known", "unknown"] = "unknown"
    """Whether the source specifies the measurement: images, prompts, evaluation network and settings."""
    margin: Annotated[Number, Field(ge=0)] | None = None
    """Largest difference that counts as equivalent; default: the experiment's for this metric."""
    images: Line = ""
    """The pictures it was measured on, as printed; a value on others than the data set's is shown, not compared."""
    hardware: Line = ""
    """Device that a time was measured on; times of other devices are not comparable."""
    note: Line = ""

    @model_validator(mode="after")
    def _a_value_or_a_reason(self) -> Published:
        if (self.value is None) != (self.confidence == "unverified"):
            raise ValueError("a value needs a confidence other than 'unverified', and nothing else may lack a value")
        if self.high is not None and (self.value is None or self.high < self.value):
            raise ValueError("high is the upper end of a range whose lower end is value")
        return self

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Key for matching measured values."""
        return self.dataset, self.method, self.setting, self.metric

    @property
    def elsewhere(self) -> bool:
        """Whether the published name of the pictures is that of another data set."""
        words = re.findall(r"[a-z0-9]+", self.images.lower())
        return bool(words) and not {self.dataset, f"{self.dataset}s", f"{self.dataset}es"} & set(words)

    def measured_on(self, device: str) -> bool:
        """Whether a device is that of the published measurement, or none was stated."""
        return not self.hardware or re.search(rf"(?<!\w){re.escape(self.hardware)}(?!\w)", device, re.I) is not None

    @property
    def ends(self) -> tuple[float, float] | None:
        """The published range; both ends are equal for a single value."""
        if self.value is None:
            return None
        return self.value, self.value if self.high is None else self.high
