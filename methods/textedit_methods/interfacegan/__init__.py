"""InterFaceGAN: a linear boundary of W, labelled by the guiding CLIP, and steps along its normal."""
