"""What the repository commits about itself: reference results, tables of its pages, costs, Pythons, the notebook."""
