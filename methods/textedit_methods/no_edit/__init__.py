"""Control: the inversion, unedited."""
