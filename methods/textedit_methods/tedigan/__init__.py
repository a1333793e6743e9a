"""TediGAN: instance-level optimisation of a code, guided by a text and held by the photo and the encoder."""
