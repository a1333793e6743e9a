"""Share what methods have in common that train one mapper of codes per prompt."""
