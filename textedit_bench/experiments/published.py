"""A value as it was published, with where it stands and how sure we are of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from textedit_bench.experiments.strict import Strict

Confidence = Literal["seen", "secondhand", "computed", "unverified"]
"""``seen``: read in the source itself; ``secondhand``: in a text about it; ``computed``: by us, from arrays that the
authors released; ``unverified``: the table is known to exist, its value could not be read, so there is none."""


class Published(Strict):
    """One published value; matched with a measured one by data set, method, setting and metric."""

    dataset: str
    """Our name of the data set."""
    method: str
    """Registry name, or the name as printed where the method is not part of this benchmark."""
    setting: str = ""
    metric: str
    value: float | None = None
    """None where nobody could verify it; to add it, see the README beside the experiment files."""
    high: float | None = None
    """The upper end where a range was printed, ``value`` being its lower end."""
    source: str = Field(min_length=1)
    """Paper and table."""
    confidence: Confidence
    protocol: Literal["known", "unknown"] = "unknown"
    """Whether the source says enough to measure the same thing: images, prompts, judge and settings."""
    margin: float | None = Field(default=None, ge=0)
    """Largest difference that counts as the same; the experiment's for this metric where not given."""
    images: str = ""
    """The pictures it was measured on, as printed; a value on others than the data set's is shown, not compared."""
    hardware: str = ""
    """Device that a time was measured on; times of other devices are not comparable."""
    note: str = ""

    @model_validator(mode="after")
    def _a_value_or_a_reason(self) -> Published:
        if (self.value is None) != (self.confidence == "unverified"):
            raise ValueError("a value needs a confidence other than 'unverified', and nothing else may lack a value")
        if self.high is not None and (self.value is None or self.high < self.value):
            raise ValueError("high is the upper end of a range whose lower end is value")
        return self

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is matched by."""
        return self.dataset, self.method, self.setting, self.metric

    @property
    def elsewhere(self) -> bool:
        """Whether the printed name of the pictures is that of another data set."""
        return bool(self.images) and self.dataset not in self.images.lower().split()

    @property
    def ends(self) -> tuple[float, float] | None:
        """The range that was printed; both ends are the value where there was one value."""
        if self.value is None:
            return None
        return self.value, self.value if self.high is None else self.high
