"""Generation as a task: the cells of methods that make pictures from a text alone."""
