"""The drawings of a bench, made by matplotlib once for the page (SVG) and for papers (PNG, PDF)."""
