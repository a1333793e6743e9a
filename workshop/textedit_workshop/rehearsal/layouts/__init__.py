"""Official layouts of weights files: which tensors they hold under which names, and how they are wrapped."""
