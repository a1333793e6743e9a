"""What is measured of a world's latent spaces: formulas without a generator of their own."""
