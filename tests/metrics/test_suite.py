"""The suite measures what its names say, once per image, and never turns a failure into a number."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.metrics import Suite
from textedit_bench.metrics.images import ImageBatch
from textedit_bench.prompt import Prompt

SMILE = Prompt("a smiling face", source="a face", phrase="smile", attribute="mouth=smile")


def _batch(domain: Any, draw: torch.Generator, n: int = 6) -> dict[str, Any]:
    factors = domain.world.sample(n, draw)
    photos = domain.world.render(factors).images
    inversions = (photos + 0.05 * torch.randn(photos.shape, generator=draw)).clamp(-1, 1)
    edits = (inversions + 0.05 * torch.randn(photos.shape, generator=draw)).clamp(-1, 1)
    return {"photos": photos, "inversions": inversions, "edits": edits, "prompt": SMILE, "factors": factors}


def test_every_image_protocol_has_a_column_and_no_other(domain: Any, draw: torch.Generator) -> None:
    suite = Suite(domain)
    columns = suite.score_batch(**_batch(domain, draw))
    assert set(columns) == {name for name, p in suite.protocols.items() if p.scope == "image"}
    for column in columns.values():
        assert column.values.dtype == np.float64 and len(column.values) == len(column.states) == 6
        assert [s == "ok" for s in column.states] == np.isfinite(column.values).tolist()


def test_protocol_ids_are_unique_and_follow_the_weights(domain: Any) -> None:
    before = Suite(domain).protocols
    assert len({p.id for p in before.values()}) == len(before)
    domain.digest = lambda role: "f" * 16
    after = Suite(domain).protocols
    for name in ("lpips", "identity", "clip_score", "success", "fid_real"):
        assert before[name].id != after[name].id
    assert before["psnr"].id == after["psnr"].id
    assert before["fid_real"].with_counts(192, 500).id.endswith("+n=192+nref=500")


def test_a_missing_role_removes_its_metrics_only(domain: Any, draw: torch.Generator) -> None:
    for role in ("judge_clip", "features", "oracle"):
        del domain.networks[role]
    suite = Suite(domain)
    assert not {"clip_score", "fid_real", "success", "preservation", "oracles_agree"} & set(suite.protocols)
    assert {"clip_score_in_loop", "success_second", "identity", "lpips"} <= set(suite.protocols)
    assert "success_second" in suite.score_batch(**_batch(domain, draw))
    with pytest.raises(UserError, match="features"):
        suite.features(torch.zeros(2, 3, 16, 16))


def test_guiding_networks_are_marked_in_loop(domain: Any) -> None:
    for name, protocol in Suite(domain).protocols.items():
        assert protocol.in_loop == name.endswith("_in_loop")


def test_values_match_the_formulas_by_hand(domain: Any, draw: torch.Generator) -> None:
    batch = _batch(domain, draw)
    columns = Suite(domain).score_batch(**batch)
    photo, inversion, edit = (ImageBatch.of(batch[k]).images for k in ("photos", "inversions", "edits"))
    judge = domain.network("judge_clip")
    text, neutral = (judge.encode_text([t])[0].double().numpy() for t in (SMILE.target, SMILE.source))

    def embed(images: torch.Tensor) -> np.ndarray:
        rows = judge.encode_image(images).double().numpy()
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def unit(v: np.ndarray) -> np.ndarray:
        return v / np.linalg.norm(v)

    score = 100 * embed(edit) @ unit(text)
    np.testing.assert_allclose(columns["clip_score"].values, score, rtol=1e-5)
    np.testing.assert_allclose(columns["clip_gain"].values, score - 100 * embed(inversion) @ unit(text), atol=1e-4)
    steps = embed(edit) - embed(inversion)
    direction = steps @ unit(unit(text) - unit(neutral)) / np.linalg.norm(steps, axis=1)
    np.testing.assert_allclose(columns["clip_direction"].values, direction, atol=1e-5)
    faces = domain.network("judge_identity")
    same = (faces.embed(edit) * faces.embed(photo)).sum(1).numpy()
    np.testing.assert_allclose(columns["identity"].values, same, atol=1e-6)
    np.testing.assert_allclose(columns["l1"].values, ((edit - photo).abs() / 2).mean((1, 2, 3)).numpy(), rtol=1e-5)
    np.testing.assert_allclose(columns["lpips"].values, (edit - photo).square().mean((1, 2, 3)).numpy(), rtol=1e-5)


def test_doing_nothing_scores_as_the_control_table_says(domain: Any, draw: torch.Generator) -> None:
    batch = _batch(domain, draw)
    columns = Suite(domain).score_batch(**{**batch, "edits": batch["inversions"].clone()})
    assert set(columns["clip_direction"].states) == {"no change"}
    assert set(columns["psnr_inversion"].states) == {"identical"}
    np.testing.assert_array_equal(columns["clip_gain"].values, 0.0)
    np.testing.assert_array_equal(columns["lpips_inversion"].values, 0.0)
    np.testing.assert_allclose(columns["identity_inversion"].values, 1.0, atol=1e-6)
    np.testing.assert_allclose(columns["ssim_inversion"].values, 1.0, atol=1e-12)
    preserved = columns["preservation"]
    np.testing.assert_array_equal(preserved.values[[s == "ok" for s in preserved.states]], 1.0)


def test_ground_truth_counts_only_askable_images(domain: Any) -> None:
    from textedit_bench.worlds.world import Factors

    # dark, bald-free, neutral | hidden hair | already blond
    values = torch.tensor([[0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]])
    factors = Factors(values, torch.zeros(4, 2), torch.zeros(4, 1))
    photos = domain.world.render(factors).images
    edits = photos.clone()
    edits[0, :, 0:4] = 1.0  # blond, as asked
    edits[0, :, 8:12] = 0.0  # and now smiling, which nobody asked for
    edits[3, :, 0:4] = 0.0  # neither dark nor blond: the oracle abstains
    prompt = Prompt("a face with blond hair", attribute="hair=blond")
    columns = Suite(domain).score_batch(photos=photos, inversions=photos, edits=edits, prompt=prompt, factors=factors)
    assert columns["success"].states == ["ok", "attribute hidden", "already so", "ok"]
    np.testing.assert_array_equal(columns["success"].values, [1, np.nan, np.nan, 0])
    np.testing.assert_array_equal(columns["preservation"].values, [0.5, 1, 1, 1])
    np.testing.assert_array_equal(columns["oracles_agree"].values, [1, 1, 1, 1])


def test_what_a_perfect_edit_hides_is_not_held_against_it(domain: Any) -> None:
    from textedit_bench.worlds.world import Factors

    factors = Factors(torch.zeros(1, 3, dtype=torch.long), torch.zeros(1, 2), torch.zeros(1, 1))
    photos = domain.world.render(factors).images
    edits = photos.clone()
    edits[:, :, 0:4] = 0.0  # the hair is gone
    edits[:, :, 4:8] = 1.0  # under the cap that was asked for
    prompt = Prompt("a face with a cap", attribute="hat=cap")
    columns = Suite(domain).score_batch(photos=photos, inversions=photos, edits=edits, prompt=prompt, factors=factors)
    assert columns["success"].values.tolist() == [1.0]
    assert columns["preservation"].values.tolist() == [1.0]


def test_several_asked_attributes_must_all_hold(domain: Any) -> None:
    from textedit_bench.worlds.world import Factors

    factors = Factors(torch.zeros(2, 3, dtype=torch.long), torch.zeros(2, 2), torch.zeros(2, 1))
    photos = domain.world.render(factors).images
    edits = photos.clone()
    edits[:, :, 0:4] = 1.0
    edits[1, :, 8:12] = 0.0
    prompt = Prompt("x", attribute="hair=blond, mouth=smile")
    columns = Suite(domain).score_batch(photos=photos, inversions=photos, edits=edits, prompt=prompt, factors=factors)
    np.testing.assert_array_equal(columns["success"].values, [0, 1])


def test_unknown_truth_is_a_state(domain: Any, draw: torch.Generator) -> None:
    batch = _batch(domain, draw)
    for change in ({"factors": None}, {"prompt": Prompt("a smiling face")}):
        columns = Suite(domain).score_batch(**{**batch, **change})
        assert set(columns["success"].states) == {"no ground truth"}
        assert set(columns["oracles_agree"].states) <= {"ok", "oracles abstain"}


@pytest.mark.parametrize(
    ("attribute", "said"), [("moth=smile", "Did you mean 'mouth'"), ("mouth=grin", "neutral, sad, smile")]
)
def test_a_prompt_the_world_cannot_check_is_refused(
    domain: Any, draw: torch.Generator, attribute: str, said: str
) -> None:
    batch = _batch(domain, draw)
    with pytest.raises(UserError, match=said):
        Suite(domain).score_batch(**{**batch, "prompt": replace(SMILE, attribute=attribute)})


def test_no_face_and_broken_pixels_are_states(domain: Any, draw: torch.Generator) -> None:
    batch = _batch(domain, draw)
    batch["edits"][1] = -1.0
    batch["photos"][2] = -1.0
    batch["edits"][3, 0, 0, 0] = float("nan")
    columns = Suite(domain).score_batch(**batch)
    assert columns["identity"].states == ["ok", "no face in edit", "no face in source", "nan", "ok", "ok"]
    assert columns["identity_inversion"].states[2] == "ok"
    assert all(column.states[3] == "nan" for column in columns.values())
    assert columns["clip_score"].states[:3] == ["ok"] * 3


def test_pictures_are_encoded_once(domain: Any, draw: torch.Generator) -> None:
    batch = _batch(domain, draw)
    suite = Suite(domain)
    judge = domain.network("judge_clip")
    suite.score_batch(**batch)
    assert judge.seen == 18
    other = {**batch, "prompt": Prompt("another text")}
    again = suite.score_batch(**other)
    assert judge.seen == 18, "edits that another cell showed"
    suite.score_batch(**{**batch, "edits": batch["edits"].flip(3)})
    assert judge.seen == 24, "new edits, old photos and inversions"
    for name, column in Suite(domain).score_batch(**other).items():
        np.testing.assert_array_equal(column.values, again[name].values, err_msg=name)
        assert column.states == again[name].states


def test_order_and_company_do_not_matter(domain: Any, draw: torch.Generator) -> None:
    batch = _batch(domain, draw)
    whole = Suite(domain).score_batch(**batch)
    order = [4, 0, 0, 2]
    part = {k: v if k == "prompt" else v[order] for k, v in batch.items()}
    some = Suite(domain).score_batch(**part)
    for name, column in some.items():
        np.testing.assert_allclose(column.values, whole[name].values[order], atol=1e-5, err_msg=name)


def test_scores_of_a_stored_picture_equal_those_in_memory(domain: Any, draw: torch.Generator) -> None:
    batch = _batch(domain, draw)
    stored = {**batch, "edits": ImageBatch.of(batch["edits"]).images}
    memory, disk = Suite(domain).score_batch(**batch), Suite(domain).score_batch(**stored)
    for name in memory:
        np.testing.assert_array_equal(memory[name].values, disk[name].values)


def test_wrong_shapes_and_ranges_are_refused(domain: Any, draw: torch.Generator) -> None:
    batch = _batch(domain, draw)
    suite = Suite(domain)
    with pytest.raises(ValueError, match="one shape"):
        suite.score_batch(**{**batch, "edits": batch["edits"][:3]})
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        suite.score_batch(**{**batch, "edits": batch["edits"] * 255})
    with pytest.raises(ValueError, match="empty"):
        suite.score_batch(**{k: v if k == "prompt" else v[:0] for k, v in batch.items()})
    with pytest.raises(ValueError, match="nan or infinite"):
        suite.features(batch["edits"] * float("nan"))
    assert suite.features(batch["edits"]).shape == (6, 12)
    assert suite.features(batch["edits"]).dtype == np.float32
