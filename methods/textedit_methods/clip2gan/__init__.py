"""CLIP2GAN: a mapping network from CLIP's joint space to W+, trained on pictures only and applied to texts."""
