"""StyleSpace: one channel of the style space, found by examples that the guiding CLIP picks."""
