"""StyleCLIP's global directions (Patashnik et al. 2021, section 6)."""
