"""DeltaEdit: a text-free network from CLIP differences to style differences (arXiv 2303.06285)."""
