"""Data set cards, image sources and the inversion cache."""
