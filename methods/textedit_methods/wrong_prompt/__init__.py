"""Control: the edits that a method made for another prompt."""
