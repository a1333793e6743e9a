"""StyleFlow: a conditional flow of W, whose condition is changed where an attribute is asked for."""
