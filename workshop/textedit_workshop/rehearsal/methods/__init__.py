"""What each method brings to the rehearsal."""

from __future__ import annotations

from collections.abc import Mapping

from textedit_workshop.rehearsal.methods import (
    clip2gan,
    deltaedit,
    dfgan,
    ffclip,
    ganspace,
    hairclip,
    manigan,
    ppe,
    stacked_gans,
    styleclip_global,
    styleclip_mapper,
    styleclip_optimization,
    styleflow,
    stylespace,
    tedigan,
)
from textedit_workshop.rehearsal.part import Part

PARTS: Mapping[str, Part] = {
    "attngan": stacked_gans.ATTNGAN_PART,
    "clip2gan": clip2gan.PART,
    "controlgan": stacked_gans.CONTROLGAN_PART,
    "deltaedit": deltaedit.PART,
    "dfgan": dfgan.PART,
    "dmgan": stacked_gans.DMGAN_PART,
    "ffclip": ffclip.PART,
    "ganspace": ganspace.PART,
    "hairclip": hairclip.PART,
    "manigan": manigan.PART,
    "ppe": ppe.PART,
    "styleclip-global": styleclip_global.PART,
    "styleclip-mapper": styleclip_mapper.PART,
    "styleclip-optimization": styleclip_optimization.PART,
    "styleflow": styleflow.PART,
    "stylespace": stylespace.PART,
    "tedigan": tedigan.PART,
}
"""Method -> its part; one that is not here edits and trains with its defaults, which may take days."""
