"""Figures of a bench, drawn once by matplotlib for the page (SVG) and for papers (PNG, PDF)."""
