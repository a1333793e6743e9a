"""The demo: edits of one photo side by side, in a browser."""

STRENGTHS = (0.0, 0.5, 1.0, 1.5, 2.0)
MOST_PICTURES = 8
"""Of one generation."""
