"""Procedural worlds: renderers with known ground truth, and the forms of the mini tier's networks."""
