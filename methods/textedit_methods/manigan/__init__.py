"""ManiGAN: photos drawn anew as a text asks, without StyleGAN, by the authors' networks."""
