"""FFCLIP: one mapper for all texts, aligned by cross-attention between text and W+ rows (arXiv 2210.07883)."""
