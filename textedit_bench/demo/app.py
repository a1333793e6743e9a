"""The demo's page in Gradio: its fields, buttons and uploads. A desk computes what they show, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textedit_bench.demo import MOST_PICTURES, STRENGTHS
from textedit_bench.errors import UserError, WorkError
from textedit_bench.extras import needs_extra
from textedit_bench.files import PlaceError
from textedit_bench.registry import method_info
from textedit_bench.report.html import read_asset, template_macros

if TYPE_CHECKING:
    from textedit_bench.demo.desk import Desk, Sweep


MOST_BYTES, MOST_FILES = 20_000_000, 16
_FORM = 10_000
"""Bytes that a form adds to its file."""
_POLICY = (
    b"default-src 'self' 'unsafe-inline' 'unsafe-eval'; img-src 'self' data: blob:; font-src 'self' data:; "
    b"object-src 'none'; frame-ancestors 'none'"  # Gradio's page consists of scripts and styles within it
)


class Guard:
    """An ASGI layer around the app; ``folder`` is where uploads lie until they are read."""

    def __init__(self, app: Any, folder: Path) -> None:
        self._app, self._folder = app, folder

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/upload"):
            length = dict(scope["headers"]).get(b"content-length", b"")
            if not length.isdigit() or int(length) > MOST_BYTES + _FORM:
                await send({"type": "http.response.start", "status": 413, "headers": []})
                await send({"type": "http.response.body", "body": b"an upload has at most %d bytes" % MOST_BYTES})
                return
            self._make_room()

        async def answer(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", _POLICY)]
            await send(message)

        await self._app(scope, receive, answer)

    def _make_room(self) -> None:
        """Remove the oldest files, those that nobody read; another upload does it where one vanishes meanwhile."""
        with suppress(FileNotFoundError):
            files = sorted(filter(Path.is_file, self._folder.rglob("*")), key=lambda file: file.stat().st_mtime)
            for file in files[: 1 - MOST_FILES]:
                file.unlink()


with needs_extra("demo", "the demo"):
    import gradio as gr


WAITING, BOXES, _MB = 32, 3, MOST_BYTES // 10**6
CONTRAST = {"button_primary_background_fill": "*primary_700", "button_primary_background_fill_hover": "*primary_800"}
CONTRAST |= dict.fromkeys(("body_text_color_subdued", "block_info_text_color"), "*neutral_500")
PLAIN: dict[str, Any] = {
    "prevent_thread_lock": True,
    "quiet": True,
    "share": False,
    "ssr_mode": False,
    "footer_links": [],
}
SLIDE = "at => document.querySelectorAll('#results .at').forEach(one => { one.hidden = +one.dataset.strength !== at })"
"""What the slider does: it shows other pictures of those that are there."""
page = template_macros("parts.html", __package__)
Changes = Iterator[dict[Any, Any]]
"""What a handler changes on the page, by component, time after time."""


def start(desk: Callable[[str], Desk], datasets: Sequence[str], folder: Path, host: str, port: int | None) -> Any:
    """Serve the page from threads of this process; returns Gradio's app, whose ``close`` ends it.

    The page opens with the first of ``datasets``; ``folder`` is Gradio's temporary one, and without a port the first
    free one from 7860 on is taken. Raises `UserError` where nothing can listen.
    """
    blocks = _build(desk, datasets).queue(max_size=WAITING, api_open=False)
    theme = gr.themes.Default(primary_hue="blue", font=["system-ui", "sans-serif"], font_mono=["monospace"])
    try:
        blocks.launch(
            server_name=host,
            server_port=port,
            theme=theme.set(**CONTRAST),
            css=read_asset("demo.css", __package__),
            max_file_size=MOST_BYTES,
            app_kwargs={"middleware": [(Guard, (), {"folder": folder})], "openapi_url": None},
            **PLAIN,
        )
    except OSError as error:
        raise UserError(f"--host {host}, --port {port}: cannot listen there ({error}); valid: another port") from error
    return blocks


def _build(desk: Callable[[str], Desk], datasets: Sequence[str]) -> gr.Blocks:
    def open_dataset(name: str) -> Changes:
        edits, makers = desk(name).methods("edit"), desk(name).methods("generate")
        boxes = gr.update(choices=_labels(edits), value=[method for method, lack in edits if not lack][:BOXES])
        menu = gr.update(choices=_labels(makers), value=makers[0][0] if makers else None)
        yield {strip: "", photo: "", chosen: "", results: "", methods: boxes, maker: menu}
        samples = desk(name).samples()
        yield {strip: page.strip(samples), photo: samples[0][0], chosen: page.chosen(samples[0][1])}

    def show_photo(name: str, photo: str) -> Changes:
        yield {chosen: page.chosen(desk(name).picture(photo.strip())) if photo.strip() else ""}

    def take_upload(name: str, path: str) -> Changes:
        try:
            yield {photo: desk(name).upload(path)}
        finally:
            Path(path).unlink(missing_ok=True)

    def edit(name: str, photo: str, text: str, chosen: Sequence[str], at: float) -> Changes:
        if not chosen:
            raise UserError("methods: none is chosen; valid: one or more of the list")
        sweeps: list[Sweep] = []
        for method in chosen:
            sweeps.append(desk(name).sweep(photo.strip(), text, method))
            yield {results: page.cards(sweeps, at)}
        if all(sweep.refusal for sweep in sweeps):
            raise UserError(f"no chosen method takes {text!r}; {sweeps[0].title}: {sweeps[0].refusal}")

    def generate(name: str, words: str, method: str, n: int, seed: int) -> Changes:
        yield {made: page.pictures(desk(name).generate(words, method, int(n), int(seed)))}

    with gr.Blocks(title="textedit_bench demo", analytics_enabled=False, fill_width=True) as blocks:
        gr.Markdown("# Edit photos by text\nOne photo, one text, several methods, and what the judges say of each.")
        dataset = gr.Dropdown(list(datasets), value=datasets[0], label="Data set", filterable=False)
        status = gr.HTML(padding=False, elem_id="status")
        with gr.Tab("Edit"), gr.Row():
            with gr.Column(scale=1, min_width=300):
                strip = gr.HTML(padding=False)
                photo = gr.Textbox(label="Photo", info="Choose one above, or write an image id.", elem_id="photo-id")
                upload = gr.UploadButton(f"Upload your own (at most {_MB} MB)", size="sm", elem_id="upload")
                chosen = gr.HTML(padding=False)
                methods = gr.CheckboxGroup([], label="Methods", elem_id="methods")
            with gr.Column(scale=3, min_width=300):
                text = gr.Textbox(label="What is wanted", placeholder="blond hair", max_length=300, elem_id="text")
                run = gr.Button("Edit", variant="primary", elem_id="edit")
                at = gr.Slider(0, STRENGTHS[-1], value=1, step=0.5, label="Strength", elem_id="strength")
                results = gr.HTML(padding=False, elem_id="results")
        with gr.Tab("Generate"):
            words = gr.Textbox(label="What is wanted", placeholder="blond hair", max_length=300, elem_id="words")
            with gr.Row():
                maker = gr.Dropdown([], label="Method", filterable=False)
                n = gr.Slider(1, MOST_PICTURES, value=4, step=1, label="Pictures")
                seed = gr.Number(0, label="Seed", precision=0, minimum=0)
            make = gr.Button("Generate", variant="primary", elem_id="generate")
            made = gr.HTML(padding=False, elem_id="made")

        def on(events: Sequence[Any], handler: Callable[..., Changes], inputs: list[Any], outputs: list[Any]) -> None:
            """Whatever computes waits for what computes already: there is one device. An error is the one message."""

            def told(*given: Any) -> Changes:
                try:
                    for shown in handler(*given):
                        yield {status: "", **shown}
                except (UserError, WorkError, PlaceError) as error:
                    yield {status: page.notice(str(error))}

            options = {"concurrency_id": "device", "concurrency_limit": 1, "api_visibility": "private"}
            for event in events:
                event(told, inputs, [status, *outputs], **options)

        on([blocks.load, dataset.change], open_dataset, [dataset], [strip, photo, chosen, results, methods, maker])
        on([photo.change], show_photo, [dataset, photo], [chosen])
        on([upload.upload], take_upload, [dataset, upload], [photo])
        on([run.click, text.submit], edit, [dataset, photo, text, methods, at], [results])
        on([make.click, words.submit], generate, [dataset, words, maker, n, seed], [made])
        at.change(None, at, None, js=SLIDE, api_visibility="private")
    return blocks


def _labels(methods: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(method_info(name).title + f" ({lack})" * bool(lack), name) for name, lack in methods]
