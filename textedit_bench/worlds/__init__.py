"""Procedural worlds: renderers with known ground truth, and the training of the mini tier's networks."""
