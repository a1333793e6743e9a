"""Families of per-image metrics; each module holds one family that shares its network passes."""

from textedit_bench.metrics.scorers.identity import IdentityScorer
from textedit_bench.metrics.scorers.picture import PerceptualScorer, PictureScorer
from textedit_bench.metrics.scorers.text import TextScorer
from textedit_bench.metrics.scorers.truth import ColourScorer, TruthScorer

__all__ = ["ColourScorer", "IdentityScorer", "PerceptualScorer", "PictureScorer", "TextScorer", "TruthScorer"]
