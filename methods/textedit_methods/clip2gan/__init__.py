"""CLIP2GAN: a mapping network from CLIP's joint space to W+, trained on pictures alone, used on texts."""
