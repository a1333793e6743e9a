"""TediGAN in the dress rehearsal: two steps, with the VGG-16 of its feature term."""

from __future__ import annotations

from textedit_workshop.rehearsal.layouts.judges import write_vgg
from textedit_workshop.rehearsal.part import Part

PART = Part(
    edit={"steps": 2, "batch_size": 1, "feature_weight": 5e-5},
    edit_files={"feature_network": write_vgg},
)
