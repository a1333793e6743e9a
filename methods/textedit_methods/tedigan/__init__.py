"""TediGAN: instance-level optimisation of a code, guided by a text and regularised by photo and encoder."""
