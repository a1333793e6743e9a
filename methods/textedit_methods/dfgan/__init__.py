"""DF-GAN: pictures of a text from one adversarial generator, without StyleGAN."""
