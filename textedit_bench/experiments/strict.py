"""What all parts of an experiment file share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Frozen data without unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)
