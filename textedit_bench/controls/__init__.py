"""Control rows: their pictures are known beforehand, and so is what they must score."""
