"""Controls outside a bench: those that need nothing edit, the others say what they lack."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from textedit_bench import load_method
from textedit_bench.controls.cards import CONTROLS
from textedit_bench.editor import Latents
from textedit_bench.errors import UserError
from textedit_bench.prompt import Prompt

PHOTOS = torch.rand(2, 3, 4, 4)
LATENTS = Latents(torch.zeros(2, 3, 4), "w+", images=PHOTOS, ids=("a", "b"))
ALONE = {"copy-photo": PHOTOS, "no-edit": LATENTS}


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("strength", [0.0, 3.0])
def test_what_is_shown_alone(name, strength):
    editor = load_method(name)(SimpleNamespace(tier="mini"))
    if name in ALONE:
        assert editor.edit(LATENTS, Prompt("a hat"), strength) is ALONE[name]
    elif name != "random-direction":
        with pytest.raises(UserError, match=f"{name} shows pictures that a bench has"):
            editor.edit(LATENTS, Prompt("a hat"), strength)


def test_the_identities_of_stored_cells_stay():
    found = {name: card.identity_settings(card.settings) for name, card in CONTROLS.items()}
    assert found == {
        "copy-photo": {"shows": "photo"},
        "no-edit": {"shows": "inversion"},
        "random-direction": {"matches": "step", "lengths": None, "space": "w+", "seed": 0},
        "real-attribute": {"shows": "truth", "pictures": None},
        "wrong-prompt": {"matches": "other prompt", "pictures": None},
    }
