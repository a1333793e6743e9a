"""PPE: a mapper per prompt whose loss watches what the prompt is entangled with."""
