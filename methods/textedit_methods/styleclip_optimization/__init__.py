"""StyleCLIP's latent optimisation (Patashnik et al. 2021, section 4)."""
