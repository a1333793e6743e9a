"""CLIP2GAN in the dress rehearsal: nothing was released; two steps of one image with all five losses."""

from __future__ import annotations

from textedit_workshop.rehearsal.part import Part

PART = Part(
    training={"epochs": 2, "steps_per_epoch": 1, "batch_size": 1, "adversarial_start": 0.0, "code_steps": 1},
)
