"""Name the mappers where stored weights look for them; the framework has them, since other methods use them too."""

from textedit_bench.latent_mapper.network import LevelsMapper, Mapper, SingleMapper, StyleMapper

__all__ = ["LevelsMapper", "Mapper", "SingleMapper", "StyleMapper"]
