"""StyleCLIP's optimisation in the dress rehearsal: three steps of it."""

from __future__ import annotations

from textedit_workshop.rehearsal.part import Part

PART = Part(edit={"steps": 3})
