"""Quality bars of the procedural worlds, and the training of their networks."""
