"""GANSpace: principal components of W, of which the guiding CLIP picks one for a text."""
