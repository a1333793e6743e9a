"""Rows that are no method: what their pictures are is known beforehand, and so is what they must score."""
