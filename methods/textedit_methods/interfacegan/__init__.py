"""InterFaceGAN: a linear boundary in W, labelled by the guiding CLIP, and steps along its normal."""
