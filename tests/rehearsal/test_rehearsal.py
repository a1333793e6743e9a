"""A rehearsal of a tiny full tier: files, card, edits, a resumed training, checks, table."""

from __future__ import annotations

import json
import sys
import zipfile

import pytest

from textedit_bench.cli.main import main
from textedit_bench.errors import UserError
from textedit_bench.files import HOME
from textedit_bench.registry import list_datasets, load_dataset, method_info
from textedit_workshop.rehearsal import __main__ as entry
from textedit_workshop.rehearsal.cards import FIRST, SPLITS, write_card
from textedit_workshop.rehearsal.checks import check_cells, check_resumed
from textedit_workshop.rehearsal.files import remove_files, write_files
from textedit_workshop.rehearsal.methods import PARTS
from textedit_workshop.rehearsal.part import Part
from textedit_workshop.rehearsal.plan import DatasetRehearsal
from textedit_workshop.rehearsal.rehearse import write_all
from textedit_workshop.rehearsal.report import Limits, table, verdict, write_report
from textedit_workshop.rehearsal.stages import Measured, Stage, run_stage


@pytest.fixture
def stage_of(card, sizes, tmp_path, monkeypatch):
    """The stages of one method, by name; the files are written."""
    monkeypatch.setenv(HOME, str(tmp_path / "home"))

    def stages(method: str) -> dict[str, Stage]:
        made = write_card(card, tmp_path / "cards", ["striped"])
        chosen = {method: PARTS.get(method, Part())}
        write_all(made, sizes, tmp_path, chosen)
        trains = {method: how} if (how := method_info(method).trains) != "none" else {}
        rehearsal = DatasetRehearsal(made, sizes, tmp_path, chosen, trains)
        return {stage.name: stage for stage in rehearsal.stages()}

    return stages


def run(stage: Stage) -> str:
    """The stage in this process."""
    assert stage.command[:2] == ("-m", "textedit_bench.cli.main") or stage.command[:2] == [
        "-m",
        "textedit_bench.cli.main",
    ]
    assert main(list(stage.command[2:])) in stage.codes
    return stage.check()


def test_every_trainer_that_is_installed_has_a_part():
    from textedit_bench.registry import list_methods

    published = {"styleclip-optimization", "styleclip-mapper", "styleclip-global", "clip2gan", "ffclip", "deltaedit"}
    assert (
        published | {"ganspace", "hairclip", "ppe", "styleflow", "stylespace"}
        <= set(PARTS)
        <= {info.name for info in list_methods()}
    )


def test_the_card_is_the_data_sets_own_with_few_photos(card, tmp_path):
    made = write_card(card, tmp_path / "cards", ["striped"])
    tier = made.tier("full")
    assert tier.splits == SPLITS and tier.inversion["steps"] == 3 and tier.source.first == FIRST
    assert tier.networks.items() >= card.tier("full").networks.items()
    assert [prompt.id for prompt in tier.prompts] == ["striped", "sleepy"]
    assert made.name == card.name and tier.source.path == card.tier("full").source.path


@pytest.mark.parametrize("name", [card.name for card in list_datasets() if "full" in card.tiers])
def test_prompts_of_an_official_card_are_of_several_groups(name, tmp_path):
    prompts = write_card(load_dataset(name), tmp_path).tier("full").prompts
    assert [prompt.split for prompt in prompts].count("evaluation") == 1
    assert len({prompt.group or prompt.id for prompt in prompts if prompt.trained}) > 1


def test_a_card_with_few_prompts_is_rehearsed_with_those_or_refused(card, tmp_path):
    tier = card.tier("full")
    unseen = tier.prompts[0].model_copy(update={"trained": False})

    def of(*prompts):
        return card.model_copy(update={"tiers": {"full": tier.model_copy(update={"prompts": prompts})}})

    assert [prompt.id for prompt in write_card(of(unseen), tmp_path).tier("full").prompts] == [unseen.id]
    for none in ((), (tier.prompts[2],)):
        with pytest.raises(UserError, match="data set cat has none to evaluate"):
            write_card(of(*none), tmp_path)


def test_weights_of_another_data_set_are_none(tmp_path):
    (tmp_path / "car-full").mkdir()
    (tmp_path / "car-full" / "hat.safetensors").write_bytes(b"")
    (tmp_path / "ffhq-full.safetensors").write_bytes(b"")
    with pytest.raises(AssertionError, match="no weights at"):
        check_resumed(tmp_path / "runs", tmp_path / "cat-full.safetensors")
    for there in ("car-full.safetensors", "ffhq-full.safetensors"):
        with pytest.raises(AssertionError, match="0 checkpoints"):
            check_resumed(tmp_path / "runs", tmp_path / there)


def test_a_training_stops_resumes_and_its_weights_edit(stage_of, tmp_path):
    stages = stage_of("ffclip")
    assert list(stages) == ["cat write files", "cat train ffclip", "cat resume ffclip", "cat bench ffclip"]
    assert run(stages["cat train ffclip"]) == "step 1 of 2"
    with pytest.raises(AssertionError, match="no weights"):
        stages["cat resume ffclip"].check()
    assert run(stages["cat resume ffclip"]).startswith("step 2 of 2")
    assert run(stages["cat bench ffclip"]) == "ffclip: 1 cell, 32 px, codes 2x2x8x32"
    cell = next((tmp_path / "results/full/cat/ffclip").glob("*/manifest.json")).parent
    with zipfile.ZipFile(cell / "images.zip") as archive:
        assert len([name for name in archive.namelist() if name.endswith(".png")]) == 4


def test_methods_of_equal_settings_are_benched_together_once_their_weights_are_there(card, sizes, tmp_path):
    chosen = {
        "a": Part(),
        "b": Part(edit={"steps": 3}),
        "c": Part(released={"cat": {}}),
        "d": Part(untrained={"steps": 3}),
        "e": Part(released={"cat": {}}, untrained={"steps": 3}),
    }
    made = write_card(card, tmp_path / "cards", [])
    rehearsal = DatasetRehearsal(made, sizes, tmp_path, chosen, dict.fromkeys("acd", "per-dataset"))
    stages = {stage.name: stage for stage in rehearsal.stages()}
    names = ["write files", "train a", "resume a", "bench a, c, e", "bench b, d", "train c", "resume c"]
    assert list(stages) == [f"cat {name}" for name in [*names, "train d", "resume d"]]
    assert "--controls" in stages["cat bench a, c, e"].command and "--no-controls" in stages["cat bench b, d"].command
    assert "steps=3" in stages["cat bench b, d"].command and "a,c,e" in stages["cat bench a, c, e"].command


def test_a_network_per_prompt_is_trained_for_the_prompt_of_the_released_one(card, sizes, tmp_path):
    """Other methods' phrases are on the card too, and a file holds one network."""
    faces = card.model_copy(update={"name": "ffhq"})
    made = write_card(faces, tmp_path / "cards", ["striped", "sleepy"])
    part = Part(phrases={"ffhq": "sleepy"}, released={"ffhq": {}})
    stages = DatasetRehearsal(made, sizes, tmp_path, {"ppe": part}, {"ppe": "per-prompt"}).stages()
    commands = {stage.name: list(stage.command) for stage in stages}
    for name in ("ffhq train ppe", "ffhq resume ppe"):
        assert commands[name][commands[name].index("--prompts") + 1] == "sleepy"


def test_cells_of_another_shape_are_seen(stage_of, sizes, tmp_path):
    from dataclasses import replace

    with pytest.raises(AssertionError, match="no finished cell"):
        check_cells(tmp_path / "results", "cat", "styleclip-optimization", sizes, 2)
    run(stage_of("styleclip-optimization")["cat bench styleclip-optimization"])
    with pytest.raises(AssertionError, match="32, 32"):
        check_cells(tmp_path / "results", "cat", "styleclip-optimization", replace(sizes, resolution=64), 2)
    with pytest.raises(AssertionError, match="neither"):
        check_cells(tmp_path / "results", "cat", "styleclip-optimization", replace(sizes, w_dim=16), 2)


def test_a_method_of_released_networks_alone_runs_where_they_are_of(card, sizes, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    blond = card.tier("full").prompts[0].model_copy(update={"phrase": "Blond hair"})
    tier = card.tier("full").model_copy(update={"prompts": (blond, *card.tier("full").prompts)})
    faces = write_card(card.model_copy(update={"name": "ffhq", "tiers": {"full": tier}}), tmp_path / "cards")
    chosen = {name: part for name, part in PARTS.items() if name in ("attngan", "ganspace") and part.runs_on("ffhq")}
    write_all(faces, sizes, tmp_path, {"attngan": chosen["attngan"]})
    stages = {stage.name: stage for stage in DatasetRehearsal(faces, sizes, tmp_path, chosen, {}).stages()}
    assert list(stages) == ["ffhq write files", "ffhq bench ganspace", "ffhq generate attngan"]
    assert run(stages["ffhq generate attngan"]) == "attngan: 1 cell, 32 px, generated"
    assert not PARTS["attngan"].runs_on("cat")


def test_files_of_later_data_sets_stay(card, sizes, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    paths = list(write_files(card, sizes, {}))
    other = card.model_copy(
        update={"tiers": {"full": card.tier("full").model_copy(update={"networks": {"clip": "clip-b32"}})}}
    )
    remove_files(card, [other], {}, tmp_path / "home")
    assert [path.parent.name for path in paths if path.exists()] == ["clip-b32"]


def test_an_asset_of_unknown_layout_is_refused(card, sizes, tmp_path, monkeypatch):
    monkeypatch.setenv(HOME, str(tmp_path / "home"))
    tier = card.tier("full").model_copy(update={"networks": {"generator": "sg2-cat-bare"}})
    with pytest.raises(UserError, match="no layout of asset 'sg2-cat-bare'"):
        list(write_files(card.model_copy(update={"tiers": {"full": tier}}), sizes, {}))


def test_stages_are_measured_and_failures_told(tmp_path):
    good = run_stage(Stage("good one", ["-c", "x = bytearray(60_000_000)"], lambda: "seen"), tmp_path, {})
    assert good.saw == "seen" and not good.failure and good.peak_bytes > 60e6 and good.seconds >= 0
    bad = run_stage(Stage("bad", ["-c", "import sys; print('why'); sys.exit(3)"]), tmp_path, {})
    assert "exit code 3: why" in bad.failure
    assert not run_stage(Stage("wanted", ["-c", "import sys; sys.exit(3)"], codes=(3,)), tmp_path, {}).failure

    def refuse() -> str:
        raise AssertionError("wrong shape")

    assert "wrong shape" in run_stage(Stage("odd", ["-c", ""], refuse), tmp_path, {}).failure


def test_the_verdict_counts_failures_memory_and_disk(tmp_path):
    fine = Measured("a", 60.0, 30.0, int(1e9), int(2e9), "seen")
    assert verdict([fine], Limits())[1] and "| a | 60 | 30 | 1.0 | 2.0 | ok; seen |" in table([fine])
    for broken in ({"failure": "why"}, {"peak_bytes": int(13e9)}, {"disk_bytes": int(16e9)}):
        assert not verdict([fine, Measured(**{**vars(fine), **broken})], Limits())[1]
    path = write_report([fine], Limits(), tmp_path / "out")
    assert "1 of 1 stages worked" in path.read_text()
    assert json.loads(path.with_suffix(".json").read_text())[0]["cpu_seconds"] == 30.0


def test_bad_names_are_one_line(capsys, tmp_path):
    assert entry.main(["--methods", "nothing", "--folder", str(tmp_path)]) == 2
    assert "nothing" in capsys.readouterr().err
    assert sys.exc_info() == (None, None, None)


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted(name for name, part in PARTS.items() if part.runs_on("cat")))
def test_every_method_edits_and_trains_in_a_tiny_full_tier(stage_of, card, method, tmp_path, monkeypatch):
    card.tier("full").networks["perceptual"] = "lpips-alex"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name, stage in stage_of(method).items():
        # Of tiny networks, the sweep of all channels ends before it can be stopped.
        if " write " not in name and not (PARTS[method].endless and " bench " not in name):
            assert run(stage)
