"""One tiny training of every kind: it runs, resumes where it stopped, and writes weights that load again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from textedit_bench.errors import UserError
from textedit_bench.models.storage import build_network, read_tensors, save_network
from textedit_bench.worlds.faces import FaceWorld
from textedit_bench.worlds.networks.oracle import Oracle
from textedit_workshop.worlds.training import attributes, clip, discriminator, encoder, identity, roles
from textedit_workshop.worlds.training.attributes import AttributeBatches, AttributeTraining, visible_cross_entropy
from textedit_workshop.worlds.training.clip import contrastive_loss, value_loss
from textedit_workshop.worlds.training.edited import edited_pool, together
from textedit_workshop.worlds.training.fit import Plan, fit, newest_checkpoint
from textedit_workshop.worlds.training.generator import new_generator
from textedit_workshop.worlds.training.identity import margin_loss
from textedit_workshop.worlds.training.pool import cached_pool, identities

WORLD = FaceWorld()


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module, settings in {
        encoder: {"POOL_SIZE": 24, "CODE_STEPS": 2, "CODE_BATCH": 4, "REFINE_BATCH": 2},
        discriminator: {"POOL_SIZE": 24, "BATCH_SIZE": 4},
        clip: {"POOL_SIZE": 24, "FRESH_SIZE": 12, "IMAGES": 6, "CAPTIONS": 4},
        attributes: {"POOL_SIZE": 24, "FRESH_SIZE": 12, "BATCH": 6},
        identity: {"SUBJECTS": 6, "PICTURES_EACH": 4, "UNSEEN_SUBJECTS": 4, "UNSEEN_PICTURES_EACH": 3, "BATCH": 8},
    }.items():
        for name, value in settings.items():
            monkeypatch.setattr(module, name, value)
    yield


@pytest.mark.parametrize("role", [name for name, role in roles.ROLES.items() if not role.needs])
def test_two_steps_of_every_role_end_in_weights_with_a_record(role: str, tmp_path: Path) -> None:
    options = roles.Options(steps=2)
    path = roles.train_role(WORLD, "tiny", role, roles.Places(tmp_path / "weights"), tmp_path / "work", options)
    assert path.parent.name == ("shared" if roles.ROLES[role].shared else "tiny")
    tensors, metadata = read_tensors(path)
    record = json.loads(metadata["record"])
    assert record["stages"][0]["steps"] == 2
    assert record["stages"][0]["command"].startswith(f"textedit-bench worlds train {role} ")
    assert record["figures"]
    network = build_network(path, tensors, metadata)
    assert not network.training
    assert all(torch.isfinite(p).all() for p in network.parameters())


def test_roles_that_need_others_find_their_weights_beside_them(tmp_path: Path) -> None:
    places, options = (roles.Places(tmp_path / "weights"), tmp_path / "work"), roles.Options(steps=2)
    for role in ("generator", "identity", "encoder", "discriminator"):
        path = roles.train_role(WORLD, "tiny", role, *places, options)
        assert json.loads(read_tensors(path)[1]["record"])["figures"]


def test_networks_that_serve_every_world_are_trained_where_they_are_missing_or_named(tmp_path: Path) -> None:
    places = roles.Places(tmp_path / "out", tmp_path / "card")
    assert roles.all_roles("ffhq", places) == list(roles.ROLES)
    shared = places.target("ffhq", "clip")
    own = places.target("ffhq", "identity")
    for path in (shared, own):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert roles.all_roles("cat", places) == [name for name in roles.ROLES if name != "clip"]


def test_training_further_starts_from_the_weights_and_keeps_both_stages(tmp_path: Path) -> None:
    places = (roles.Places(tmp_path / "weights"), tmp_path / "work")
    path = roles.train_role(WORLD, "tiny", "oracle", *places, roles.Options(steps=2))
    before = read_tensors(path)[0]
    # The second stage of an oracle also sees edits of the generator.
    save_network(new_generator(), places[0].target("tiny", "generator"), "stylegan2-generator")
    options = roles.Options(steps=1, learning_rate=1e-9, further=True)
    again = roles.train_role(WORLD, "tiny", "oracle", *places, options)
    tensors, metadata = read_tensors(again)
    assert [s["steps"] for s in json.loads(metadata["record"])["stages"]] == [2, 1]
    torch.testing.assert_close(tensors["heads.2.weight"], before["heads.2.weight"], atol=1e-3, rtol=0)


def test_a_generator_goes_on_under_another_mapping_and_says_so(tmp_path: Path) -> None:
    places = (roles.Places(tmp_path / "weights"), tmp_path / "work")
    roles.train_role(WORLD, "tiny", "generator", *places, roles.Options(steps=2))
    further = roles.Options(steps=1, learning_rate=1e-9, further=True, mapping="soft")
    tensors, metadata = read_tensors(roles.train_role(WORLD, "tiny", "generator", *places, further))
    first, second = json.loads(metadata["record"])["stages"]
    assert "--mapping" not in first["command"]
    assert second["command"].endswith("--mapping soft --further")
    assert "latent_avg" in tensors


def test_no_step_further_replaces_the_mapping_and_nothing_else(tmp_path: Path) -> None:
    places = (roles.Places(tmp_path / "weights"), tmp_path / "work")
    sharp = roles.Options(steps=2, mapping="sharp")
    before, _ = read_tensors(roles.train_role(WORLD, "tiny", "generator", *places, sharp))
    path = roles.train_role(WORLD, "tiny", "generator", *places, roles.Options(steps=0, further=True))
    after, metadata = read_tensors(path)
    assert json.loads(metadata["record"])["stages"][1]["command"].endswith(" --steps 0 --further")
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert changed == {name for name in after if name.startswith("style.1.")} | {"latent_avg"}


@pytest.mark.parametrize(("role", "further"), [("generator", False), ("oracle", True)])
def test_no_step_is_for_a_generator_that_goes_on(role: str, further: bool, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"--steps: 0 is not valid for role '{role}'; valid: 1 or more"):
        roles.check_request("tiny", [role], roles.Places(tmp_path), roles.Options(steps=0, further=further))


def test_a_mapping_is_the_generators_alone_and_one_of_those_there_are(tmp_path: Path) -> None:
    places = roles.Places(tmp_path)
    with pytest.raises(UserError, match="--mapping: role 'identity' takes the mapping of the generator"):
        roles.check_request("tiny", ["identity"], places, roles.Options(mapping="soft"))
    with pytest.raises(UserError, match="unknown mapping 'softer'"):
        roles.check_request("tiny", ["generator"], places, roles.Options(mapping="softer"))


def test_pictures_of_edits_are_a_pure_function_of_their_seed_and_show_the_drawing_they_step_towards() -> None:
    untrained = new_generator().eval().requires_grad_(False)
    pool, same, other = (edited_pool(WORLD, untrained, 6, seed, batch_size=3) for seed in (5, 5, 6))
    assert torch.equal(pool.pixels, same.pixels) and not torch.equal(pool.pixels, other.pixels)
    assert torch.equal(pool.visible, WORLD.render(pool.factors).visible)
    joined = together(pool, other)
    assert len(joined) == 12 and torch.equal(joined[6:].pixels, other.pixels)
    first = WORLD.sample(3, torch.Generator().manual_seed(5))
    assert ((first.attributes != pool.factors.attributes[:3]).sum(1) == 1).all()
    assert torch.equal(first.identity, pool.factors.identity[:3])


def _oracle_run(folder: Path, stops: list[int]) -> dict[str, torch.Tensor]:
    pool = cached_pool(WORLD, 24, 0, folder / "pools")
    sizes = [(a.name, len(a.values)) for a in WORLD.attributes]
    for stop in stops:
        torch.manual_seed(0)
        oracle = Oracle("residual", [4, 4, 4, 4], sizes)
        oracle.heads[1].p = 0.0  # dropout draws from the global stream, which a resumption does not continue
        plan = Plan(stops[-1], folder / "run", checkpoint_every=2)
        module = AttributeTraining(oracle, lambda x, net=oracle: (net(x), None), None, plan)
        if stop < stops[-1]:
            interrupted = Interrupt(AttributeBatches(pool, 6, 0), stop)
            with pytest.raises(RuntimeError, match="killed"):
                fit(module, interrupted, plan)
        else:
            fit(module, AttributeBatches(pool, 6, 0), plan)
    return {k: v.clone() for k, v in oracle.state_dict().items()}


class Interrupt:
    """A machine that dies at a step."""

    def __init__(self, batches: AttributeBatches, at: int) -> None:
        self.batches, self.at = batches, at

    def __call__(self, step: int) -> attributes.Batch:
        if step >= self.at:
            raise RuntimeError("killed")
        return self.batches(step)


def test_a_killed_training_resumes_to_the_same_weights(tmp_path: Path) -> None:
    whole = _oracle_run(tmp_path / "whole", [6])
    resumed = _oracle_run(tmp_path / "resumed", [4, 6])
    newest = newest_checkpoint(tmp_path / "resumed" / "run")
    assert newest is not None
    assert newest.stem == "step=00000006"
    for name, value in whole.items():
        torch.testing.assert_close(resumed[name], value, atol=1e-6, rtol=1e-5)


def test_a_pool_is_rendered_once_and_read_back_the_same(tmp_path: Path) -> None:
    first = cached_pool(WORLD, 8, 3, tmp_path)
    files = list(tmp_path.iterdir())
    second = cached_pool(WORLD, 8, 3, tmp_path)
    assert [f.name for f in tmp_path.iterdir()] == [f.name for f in files]
    assert torch.equal(first.pixels, second.pixels)
    assert torch.equal(first.factors.attributes, second.factors.attributes)
    fresh = WORLD.render(WORLD.sample(8, torch.Generator().manual_seed(3))).images
    assert float((second.images(slice(0, 8)) - fresh).abs().max()) <= 0.5 / 127.5 + 1e-6


def test_identity_samples_share_geometry_and_nothing_else() -> None:
    factors = identities(WORLD, 4)(8, torch.Generator().manual_seed(0))
    assert torch.equal(factors.identity[0], factors.identity[3])
    assert not torch.equal(factors.identity[0], factors.identity[4])
    assert not torch.equal(factors.attributes[0], factors.attributes[1])
    assert not torch.equal(factors.nuisance[0], factors.nuisance[1])


def test_contrastive_loss_is_zero_when_every_true_pair_shares_the_mass_and_ignores_unknown_pairs() -> None:
    true = torch.tensor([[1, 1, 0], [0, 0, 1]]).bool()
    known = torch.ones_like(true)
    logits = torch.where(true, 50.0, -50.0)
    assert float(contrastive_loss(logits, true, known)) == pytest.approx(0.0, abs=1e-6)
    wrong = logits.clone()
    wrong[1, 0] = 90.0
    assert float(contrastive_loss(wrong, true, known)) > 10
    known[1, 0] = False
    assert float(contrastive_loss(wrong, true, known)) == pytest.approx(0.0, abs=1e-6)


def test_value_loss_is_the_mean_cross_entropy_over_visible_attributes() -> None:
    logits = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    values = torch.tensor([[0, 2], [1, 1], [1, 0], [0, 0]])
    visible = torch.tensor([[1, 1], [0, 1], [1, 0], [1, 1]]).bool()
    expected = []
    for picture in range(4):
        for column, (start, stop) in enumerate(((0, 2), (2, 5))):
            if visible[picture, column]:
                chances = logits[start:stop, picture].softmax(0)
                expected.append(-float(chances[values[picture, column]].log()))
    assert float(value_loss(logits, values, visible, [2, 3])) == pytest.approx(sum(expected) / len(expected), rel=1e-5)


def test_hidden_attributes_take_no_part_in_the_oracles_loss() -> None:
    logits = [torch.tensor([[8.0, 0.0], [0.0, 8.0]])]
    values = torch.tensor([[0], [0]])
    all_seen = float(visible_cross_entropy(logits, values, torch.tensor([[True], [True]])))
    one_seen = float(visible_cross_entropy(logits, values, torch.tensor([[True], [False]])))
    assert one_seen < 0.01 < 3 < all_seen


def test_the_margin_makes_the_task_harder_by_its_angle() -> None:
    angle = torch.tensor(0.7)
    cosines = torch.stack([angle.cos(), torch.tensor(0.1)])[None]
    label = torch.tensor([0])
    shifted = torch.stack([(angle + 0.25).cos(), torch.tensor(0.1)])[None]
    expected = torch.nn.functional.cross_entropy(20 * shifted, label)
    assert float(margin_loss(cosines, label, 20.0, 0.25)) == pytest.approx(float(expected), rel=1e-4)
    assert float(margin_loss(cosines, label, 20.0, 0.25)) > float(margin_loss(cosines, label, 20.0, 0.0))


def test_every_role_of_the_cards_can_be_trained() -> None:
    from textedit_bench.data.card import OPTIONAL, ROLES

    assert set(roles.ROLES) == set(ROLES) - set(OPTIONAL)
    assert len({role.seed for role in roles.ROLES.values()}) == len(roles.ROLES)
    assert replace(roles.ROLES["clip"], steps=1).shared


def test_what_a_role_needs_is_taken_from_the_output_first_and_then_from_the_card(tmp_path: Path) -> None:
    places = roles.Places(tmp_path / "trial", tmp_path / "card")
    with pytest.raises(UserError, match="'generator': there are no weights"):
        roles.check_request("tiny", ["discriminator"], places, roles.Options())
    roles.check_request("tiny", ["generator", "discriminator"], places, roles.Options())  # made on the way
    for root in ("card", "trial"):
        (tmp_path / root / "tiny").mkdir(parents=True)
        (tmp_path / root / "tiny/generator.safetensors").touch()
        assert places.find("tiny", "generator") == tmp_path / root / "tiny/generator.safetensors"
        roles.check_request("tiny", ["discriminator"], places, roles.Options())


def test_a_target_that_cannot_be_written_is_refused_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="not a folder that can be written"):
        roles.train_role(WORLD, "tiny", "oracle", roles.Places(tmp_path / "file"), tmp_path / "work")
    assert not (tmp_path / "work").exists()


class Prepared(Exception):
    """The initial weights were asked for."""


@pytest.mark.parametrize("role", roles.ROLES)
def test_further_is_refused_where_the_training_would_ignore_it(
    role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare(*_: object) -> None:
        raise Prepared

    for name in (role, *roles.ROLES[role].required(further=True)):
        path = roles.Places(tmp_path).target("tiny", name)
        path.parent.mkdir(exist_ok=True)
        path.touch()
    monkeypatch.setattr(Plan, "prepare", prepare)
    monkeypatch.setattr(roles, "load_own", lambda _: None)
    monkeypatch.setattr(roles, "read_tensors", lambda _: ({}, {"record": '{"stages": []}'}))
    refused = pytest.raises(UserError, match="--further: role")
    with pytest.raises(Prepared) if roles.ROLES[role].continues else refused:
        options = roles.Options(steps=1, further=True)
        roles.train_role(WORLD, "tiny", role, roles.Places(tmp_path), tmp_path / "work", options)
