"""Control: pictures that really have the asked attribute."""
