"""Write the HTML report: all results of a bench in one file that works offline."""
