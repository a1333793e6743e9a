"""Style space: its channels, their statistics, and the direction in which each changes a picture for CLIP.

Sources: Wu, Lischinski, Shechtman. StyleSpace Analysis. CVPR 2021, arXiv 2011.12799; the relevance of channels is that
of arXiv 2103.17249, section 6.2.
"""
