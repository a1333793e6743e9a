"""Validate settings of a variant's training, and resolve references to network files."""

from __future__ import annotations

from textedit_bench.errors import UserError
from textedit_bench.experiments.experiment import Variants
from textedit_bench.registry import method_info

NETWORK = "network:"
"""In front of a role; the whole stands for the data set's file of that role."""


def check_variants(part: Variants) -> None:
    """Refuse settings that the method would refuse; a method that is not installed is not an error.

    Raises:
        UserError: names the variant or schedule, the setting, and what is valid.
    """
    try:
        info = method_info(part.method)
    except UserError:
        return
    given = {f"variant {variant.name!r}": variant.settings for variant in part.variants}
    given |= {f"schedule of tier {tier}": schedule.settings for tier, schedule in part.schedule.items()}
    for where, settings in given.items():
        own = {name: value for name, value in settings.items() if not str(value).startswith(NETWORK)}
        try:
            info.check_settings(own, training=True)
        except UserError as error:
            raise UserError(f"{where}: {error}") from error
