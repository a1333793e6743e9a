"""Control rows, whose pictures and expected scores are known in advance."""
