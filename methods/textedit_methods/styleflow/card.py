"""The card of StyleFlow; imports no torch."""

from __future__ import annotations

from textedit_bench.info import MethodInfo
from textedit_bench.settings import MethodSettings, edit_setting, training_setting


class Settings(MethodSettings):
    """The edit, the authors' weights, the flow and its training."""

    target: float = edit_setting(3.0, "deviations of the asked score at strength 1", gt=0)
    solver_steps: int = edit_setting(8, "Runge-Kutta steps of an edit, each way", ge=1)
    contexts: str = edit_setting("", "YAML file of light and face attributes of every photo, for the authors' weights")
    samples: int = training_setting(10_000, "of W with their pictures' scores", source="paper", ge=8)
    layers: int = training_setting(5, "hidden ones, as wide as W", source="code", ge=0)
    blur: float = training_setting(0.0, "deviation of noise on the samples, in deviations of W", ge=0)
    training_solver_steps: int = training_setting(2, "Runge-Kutta steps in training", ge=1)
    learning_rate: float = training_setting(1e-3, "of Adam", source="code", ge=0)
    final_rate: float = training_setting(1.0, "share of the rate that a cosine falls to; 1: constant", ge=0, le=1)
    batch_size: int = training_setting(5, "samples per step", source="code", ge=1)
    steps: int = training_setting(20_000, "of the optimiser; ten passes, as in the paper", source="paper", ge=1)
    steps_per_validation: int = training_setting(1_000, "steps between validations", ge=1)


_CAVEAT = (
    "The condition is the guiding CLIP's scores of the card's trained prompts (ours; the paper: light and face "
    "attributes by two networks), so other prompts have no column in it."
)

_AUTHORS = " With the authors' flow the condition is 17 given numbers per photo, and CLIP takes no part."
_SHORT = {"steps": 1000, "steps_per_validation": 250, "final_rate": 0.1}

CARD = MethodInfo(
    name="styleflow",
    title="StyleFlow (CLIP attributes)",
    paper="StyleFlow: Attribute-conditioned Exploration of StyleGAN-Generated Images using Conditional Continuous "
    "Normalizing Flows",
    arxiv="2008.02401",
    editor="textedit_methods.styleflow.method:StyleFlow",
    space="w+",
    trains="per-dataset",
    strength_meaning="the asked score becomes `target` deviations of the samples'; the others stay as they are",
    in_loop={"clip": "the guiding CLIP"},
    caveat={"mini": _CAVEAT, "full": _CAVEAT + _AUTHORS},
    weights_licence="CC BY-NC-SA 4.0",
    released={"full": {"ffhq": ("styleflow-ffhq",)}},
    model=Settings,
    presets=(
        # A mini W fills some 50 of its 128 directions, and photos' codes lie outside: the likelihood would be all about
        # the other 78.
        ("mini", None, {**{"blur": 1.0, "samples": 3072, "layers": 3, "batch_size": 64}, **_SHORT}),
    ),
    trial={"samples": 32, "layers": 1, "batch_size": 4, "steps": 4, "steps_per_validation": 2},
)
