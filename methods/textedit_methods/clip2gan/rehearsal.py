"""CLIP2GAN in the dress rehearsal: nothing was released; a training of two steps with all five losses."""

from __future__ import annotations

from textedit_bench.rehearsal.part import Part

PART = Part(
    training={"epochs": 2, "steps_per_epoch": 1, "batch_size": 2, "adversarial_start": 0.0, "code_steps": 1},
)
