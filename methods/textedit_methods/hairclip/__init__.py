"""HairCLIP: one mapper for all texts of hair style and hair colour, each for rows of its own (arXiv 2112.05142)."""
