"""Generation from text as a task: cells of methods that generate pictures from a text alone."""
