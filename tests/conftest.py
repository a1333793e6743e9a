"""For every test: the project comes before torch, so that waiting threads sleep in tests as they do for users."""

import textedit_bench  # noqa: F401, I001

from hypothesis import HealthCheck, settings

# A test that others slow down is not a slow test.
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")
