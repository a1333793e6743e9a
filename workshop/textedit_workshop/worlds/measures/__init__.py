"""Measures of a world's latent spaces: formulas that do not depend on a generator."""
