"""Procedural worlds: renderers with known ground truth, and architectures of the mini tier's networks."""
