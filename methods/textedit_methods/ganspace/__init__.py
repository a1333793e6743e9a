"""GANSpace: principal components of W, selected for a text by the guiding CLIP."""
