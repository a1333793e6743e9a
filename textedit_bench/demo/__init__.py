"""The demo: edits of one photo side by side, in a browser."""
