"""StyleSpace: one channel of the style space, found from examples selected by the guiding CLIP."""
