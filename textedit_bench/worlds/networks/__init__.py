"""The small networks of the mini tier that have no official counterpart."""
