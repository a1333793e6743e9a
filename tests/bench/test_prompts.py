"""One reader of prompts for every command: what is asked is what was written, all of it, and never nothing."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textedit_bench.bench.plan import plan
from textedit_bench.bench.prompts import PlannedPrompt, check_read, is_short, plan_prompts
from textedit_bench.bench.request import BenchRequest
from textedit_bench.cli.main import main
from textedit_bench.data.card import DatasetCard
from textedit_bench.domain import load_domain
from textedit_bench.errors import UserError
from textedit_bench.models.clip import unread
from textedit_bench.prompt import Prompt, folded, tidy
from textedit_bench.ready import resolve_prompt
from textedit_bench.registry import list_datasets, load_dataset
from textedit_bench.testing.toy import write_toy_dataset

ROOT = Path(__file__).parents[2]
CARDS = {card.name: card for card in list_datasets()}
NAMED = st.sampled_from(sorted(CARDS))
VOCABULARY = ["purple", "eyelashes", "Zebra", "naïve", "猫", "ünder", "3", "well-kept"]
WORDS = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=5)


def read(card: DatasetCard, text: str) -> Prompt:
    (planned,) = plan_prompts(card, "mini", [text])
    return planned.prompt


@given(
    NAMED, WORDS, st.sampled_from(["{n} {w}", "{n} with {w}", "  {n}   with {w} ", "{N} with {w}.", '"{n} with {w}"'])
)
def test_a_text_that_begins_like_the_neutral_one_stays_itself(name, words, form):
    neutral, words = CARDS[name].neutral, " ".join(words)
    text = form.format(n=neutral, N=neutral.capitalize(), w=words)
    found = read(CARDS[name], text)
    whole = tidy(text)
    assert (found.target, found.source, found.phrase) == (whole, neutral, whole)
    assert folded(found.target).count(folded(neutral)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "the face of an old woman",
        "a smiling face",
        "smiling face",
        "face with a scar",
        "this face wearing a monocle",
        "a photo of a man with a scar",
        "portrait of a wizard",
        "An Old, Wrinkled Face",
        "a face, red hair",
        "a face: red hair",
        "a face (red hair)",
        "faces with red hair",
    ],
)
def test_other_descriptions_of_the_whole_picture_stay_themselves_too(text):
    assert read(CARDS["ffhq"], text).target == text


@pytest.mark.parametrize(
    "text", ["a scar", "hair covering the face", "face paint", "a man", "faceless", "a face-lift", "no beard"]
)
def test_what_describes_no_whole_picture_is_added_to_the_neutral_text(text):
    assert read(CARDS["ffhq"], text).target == f"a face with {text}"


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("with a scar", "a face with a scar"),
        ("Without a scar", "a face Without a scar"),
        ("wearing a monocle", "a face wearing a monocle"),
        ("in the snow", "a face in the snow"),
        ("of an old woman", "a face of an old woman"),
        ("that laughs", "a face that laughs"),
        ("indoor light", "a face with indoor light"),
        ("aside", "a face with aside"),
    ],
)
def test_words_that_go_on_from_the_neutral_text_follow_it_as_they_are(text, target):
    assert read(CARDS["ffhq"], text).target == target


@pytest.mark.parametrize("field", ["prompts", "methods", "datasets"])
@pytest.mark.parametrize("value", ["smiling", (3,), (None,), ("smiling", b"x")])
def test_what_is_no_list_of_texts_is_refused_in_python(field, value):
    with pytest.raises(UserError, match=f"{field}: .* is not a list of texts"):
        BenchRequest(**{field: value})


FORMS = {
    "blanks": lambda text: f"  {text.replace(' ', '   ')}\u00a0 ",
    "capitals": str.upper,
    "title": str.title,
    "stop": lambda text: f"{text}.",
    "comma": lambda text: f"{text} ,",
    "bang": lambda text: f"{text}!",
    "quotes": lambda text: f'"{text}"',
    "curly": lambda text: f"“{text}.”",
    "single": lambda text: f" '{text}' ",
    "unseen": lambda text: f"\ufeff{text}\u200b",
    "wide": lambda text: "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalpha() else c for c in text),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_prompt_of_the_card_is_found_however_it_is_spelt(form):
    for card in CARDS.values():
        for known in card.tier("mini").prompts:
            for text in filter(None, (known.phrase, known.target)):
                found = plan_prompts(card, "mini", [FORMS[form](text)])[0]
                assert (found.prompt.target, found.prompt.attribute) == (known.target, known.attribute) or (
                    folded(found.prompt.phrase or "") == folded(text)  # two prompts of one wording: the first of them
                )


@given(WORDS, st.lists(st.sampled_from(sorted(set(FORMS) - {"wide"})), max_size=3, unique=True))
def test_one_text_in_several_spellings_is_one_prompt(words, forms):
    text = " ".join(words)
    spelt = text
    for form in forms:
        spelt = FORMS[form](spelt)
    assert len(plan_prompts(CARDS["ffhq"], "mini", [text, spelt])) == 1
    (planned,) = plan_prompts(CARDS["ffhq"], "mini", [unicodedata.normalize("NFD", text)])
    assert planned.prompt.phrase == unicodedata.normalize("NFC", text)


@given(st.text(max_size=20))
def test_any_text_is_a_prompt_or_one_line_of_refusal(text):
    try:
        found = read(CARDS["ffhq"], text)
    except UserError as error:
        assert "\n" not in str(error)
        return
    assert found.target.strip() == found.target and "  " not in found.target
    assert found.target != "a face" and "\n" not in found.target


NEUTRAL = ["{n}", " {n} ", "{N}", "{n}.", '"{n}"', "the {s}", "{s}", "a photo of {n}", "photo of the {s}.", "{n} with"]


@pytest.mark.parametrize("form", NEUTRAL)
def test_the_neutral_text_is_refused_at_every_entrance(form, tmp_path):
    for card in CARDS.values():
        subject = card.neutral.split(" ", 1)[1]
        text = form.format(n=card.neutral, N=card.neutral.upper(), s=subject)
        with pytest.raises(UserError, match=r"(requests|asks for) no edit|no more than the neutral"):
            plan_prompts(card, "mini", [text])
        with pytest.raises(UserError, match="no more than the neutral"):
            card.bare_prompt(text)
    own = PlannedPrompt("own", Prompt(CARDS["ffhq"].neutral, phrase="something"), trained=False)
    with pytest.raises(UserError, match="prompt own: 'a face' is the neutral text"):
        plan(BenchRequest(datasets=("ffhq",), tier="mini", own_prompts=(own,)))


def test_a_card_whose_prompt_asks_for_nothing_is_refused(tmp_path):
    card = write_toy_dataset(tmp_path)
    neutral = load_dataset(str(card)).neutral
    card.write_text(re.sub(r"target: .* with dark top", f"target: {neutral}", card.read_text()))
    with pytest.raises(UserError, match="'dark-top' asks for nothing"):
        load_dataset(str(card))


@pytest.fixture(scope="module")
def faces():
    return load_domain("ffhq", "mini")


LONG = "blond hair and a very long beard that hangs down to the belt of a knight who rides through a forest at night"


@settings(deadline=None, max_examples=60)
@given(
    words=st.lists(st.sampled_from(["hair", "a", "猫", "purple", "é", "xyz", "👩", "with"]), min_size=1, max_size=40)
)
def test_what_is_named_as_not_read_is_exactly_what_changes_nothing(faces, words):
    text = " ".join(words)
    tokenizer, part = faces.clip.tokenizer, faces.clip.unread(text)
    count = len(tokenizer.encode(text)) + 2
    assert bool(part) is (count > faces.clip.context_length)
    if part:
        assert text.endswith(part)
        other = f"{text.removesuffix(part)}{part[0]}{'zebra' * len(part)}"
        same = (tokenizer([text]) == tokenizer([other])).all()
        assert same or part[0] != " "  # the word that is cut in two is named from its beginning
    assert not (part and is_short(text))


def test_the_end_is_found_for_tokenizers_of_any_kind():
    import torch

    def letters(texts):
        rows = torch.ones(len(texts), 8, dtype=torch.long)
        for row, text in zip(rows, texts, strict=True):
            for i, letter in enumerate(text.strip()[:8]):
                row[i] = ord(letter)
        return rows

    assert unread(letters, "12345678") == "" == unread(letters, "abc")
    assert unread(letters, "12345678 9") == "9" and unread(letters, "abc defghij") == "defghij"


@pytest.mark.parametrize("text", [LONG, "一张有着紫色睫毛和金色头发还戴着眼镜的年轻女人的脸", "hair " * 40, "x" * 90])
def test_a_text_longer_than_the_encoder_reads_is_refused_at_every_entrance(faces, text, tmp_path, capsys):
    with pytest.raises(UserError, match="not read: '"):
        resolve_prompt(faces, text)
    with pytest.raises(UserError, match="not read: '"):
        plan(BenchRequest(datasets=("ffhq",), tier="mini", prompts=(text,)))
    own = PlannedPrompt("own", Prompt(text, phrase="something"), trained=False)
    with pytest.raises(UserError, match="not read: '"):
        plan(BenchRequest(datasets=("ffhq",), tier="mini", own_prompts=(own,)))
    with pytest.raises(UserError, match="not read: '"):
        faces.clip.encode_text([text])
    common, folder = ("-d", "ffhq", "-t", "mini"), str(tmp_path)
    for words in (
        ("train", "-m", "ffclip", *common, "--prompts", f"{text};", "-o", f"{folder}/w.safetensors"),
        ("score", *common, "--source", folder, "--edited", folder, "--prompt", f"{text};"),
        ("bench", "-m", "ffclip", *common, "--prompts", f"{text};", "--results", f"{folder}/r"),
    ):
        assert main(words) == 2
        assert "not read: '" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_prompts_of_every_card_are_read_whole_with_room_for_a_template(faces):
    for card in CARDS.values():
        domain = load_domain(card.name, "mini")
        prompts = [prompt.prompt() for prompt in card.tier("mini").prompts]
        check_read(domain, prompts)
        evaluated = [prompt for prompt in card.tier("mini").prompts if prompt.split == "evaluation"]
        assert all(is_short(prompt.target) for prompt in evaluated)  # a standard bench is planned without a network
        assert max(len(faces.clip.tokenizer.encode(prompt.target)) for prompt in prompts) + 2 < 20


MADE_FROM_TEXTS = {
    "textedit_bench/bench/prompts.py": "the one reader",
    "textedit_bench/data/card.py": "its bare prompts",
}
READERS = {
    "textedit_bench/bench/plan.py": "bench, reproduce, tune: `_check_words` after it",
    "textedit_bench/ready.py": "edit, generate, demo",
    "textedit_bench/cli/train.py": "train",
    "textedit_bench/cli/score.py": "score --source",
    "textedit_bench/experiments/variants.py": "experiments that train",
}


def test_every_text_goes_through_the_one_reader_and_is_checked_against_the_encoder():
    listed = subprocess.run(
        ["git", "ls-files", "textedit_bench/*.py", "methods/*.py"], cwd=ROOT, capture_output=True, text=True
    )
    sources = {name: (ROOT / name).read_text(encoding="utf-8") for name in listed.stdout.split()}
    assert len(sources) > 300
    assert {name for name, source in sources.items() if "bare_prompt(" in source} == set(MADE_FROM_TEXTS)
    calls = {name for name, source in sources.items() if re.search(r"(?<!def )\bplan_prompts\(", source)}
    assert calls == set(READERS)
    assert all("check_read(" in sources[name] for name in READERS)
