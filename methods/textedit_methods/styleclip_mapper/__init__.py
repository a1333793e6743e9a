"""StyleCLIP's latent mapper: one small network per prompt that turns codes into edits (arXiv 2103.17249, sec. 5)."""
