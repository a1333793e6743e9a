"""The demo's page in Gradio: fields, buttons, and what happens on them. What they show is computed by `desk`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from importlib.resources import files
from pathlib import Path
from typing import Any

from textedit_bench.demo import page
from textedit_bench.demo.desk import MOST_PICTURES, STRENGTHS, Desks, Sweep
from textedit_bench.demo.uploads import MOST_BYTES, Guard
from textedit_bench.errors import UserError, WorkError
from textedit_bench.places import PlaceError

QUEUE = 32
SESSIONS = 200
_PROBLEMS = (UserError, WorkError, PlaceError)
_QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}


def start(desks: Desks, datasets: Sequence[str], *, folder: Path, host: str, port: int | None) -> Any:
    """Serve the page from threads of this process and return Gradio's app, whose ``close`` ends it.

    Args:
        desks: what computes.
        datasets: names or cards to choose from, the first one first.
        folder: an empty one, for uploads.
        host: the address to listen at.
        port: where to listen; the first free one from 7860 on where None.

    Raises:
        UserError: the port or the address cannot be used.
    """
    os.environ |= {**_QUIET, "GRADIO_TEMP_DIR": str(folder)}
    import gradio as gr

    blocks = _build(gr, desks, datasets)
    blocks.queue(max_size=QUEUE, api_open=False)
    theme = gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"])
    try:
        blocks.launch(
            server_name=host,
            server_port=port,
            theme=theme,
            css=files(__package__).joinpath("demo.css").read_text(encoding="utf-8") + page.styles(),
            max_file_size=MOST_BYTES,
            app_kwargs={"middleware": [(Guard, (), {"folder": folder})], "openapi_url": None},
            state_session_capacity=SESSIONS,
            share=False,
            quiet=True,
            prevent_thread_lock=True,
            footer_links=[],
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
        )
    except OSError as error:
        raise UserError(f"--host {host}, --port {port}: cannot listen there ({error}); valid: another port") from error
    return blocks


def _build(gr: Any, desks: Desks, datasets: Sequence[str]) -> Any:
    # One queue: whatever computes waits for what computes already, since there is one device.
    computes: dict[str, Any] = {"concurrency_id": "device", "concurrency_limit": 1, "api_visibility": "private"}

    with gr.Blocks(title="textedit_bench demo", analytics_enabled=False) as blocks:
        gr.Markdown(
            "# Edit photos by text\nOne photo, one text, several methods, and what the judges say of each edit."
        )
        dataset = gr.Dropdown(list(datasets), value=datasets[0], label="Data set", filterable=False)
        status = gr.HTML(elem_id="status")
        with gr.Tab("Edit"), gr.Row():
            with gr.Column(scale=1, min_width=300):
                strip = gr.HTML(elem_id="samples")
                photo = gr.Textbox(label="Photo", info="Choose one above, or write an image id.", elem_id=page.PHOTO)
                upload = gr.UploadButton(f"Upload your own (at most {MOST_BYTES // 10**6} MB)", elem_id="upload")
                chosen = gr.HTML(elem_id="chosen")
                methods = gr.CheckboxGroup([], label="Methods", elem_id="methods")
            with gr.Column(scale=3, min_width=300):
                text = gr.Textbox(label="What is wanted", placeholder="blond hair", max_length=300, elem_id="text")
                run = gr.Button("Edit", variant="primary", elem_id="edit")
                at = gr.Slider(STRENGTHS[0], STRENGTHS[-1], value=1.0, step=0.5, label="Strength", elem_id="strength")
                results = gr.HTML(elem_id=page.RESULTS)
        with gr.Tab("Generate"):
            with gr.Row():
                words = gr.Textbox(label="What is wanted", placeholder="blond hair", max_length=300, elem_id="words")
                method = gr.Dropdown([], label="Method", filterable=False)
                n = gr.Slider(1, MOST_PICTURES, value=4, step=1, label="Pictures")
                seed = gr.Number(0, label="Seed", precision=0, minimum=0)
            make = gr.Button("Generate", variant="primary", elem_id="generate")
            made = gr.HTML(elem_id="made")

        @_told(4)
        def open_dataset(name: str) -> Iterator[list[Any]]:
            desk = desks(name)
            edits, generators = desk.methods("edit"), desk.methods("generate")
            ready = [value for label, value in edits if "(" not in label.removeprefix(value)]
            boxes = gr.CheckboxGroup(edits, value=ready[:3])
            menu = gr.Dropdown(generators, value=generators[0][1] if generators else None)
            yield [gr.skip(), gr.skip(), boxes, menu]
            samples = desk.samples()
            yield [page.strip(samples), samples[0][0] if samples else "", boxes, menu]

        @_told(1)
        def show_photo(name: str, photo: str) -> Iterator[list[Any]]:
            yield [page.chosen(desks(name).picture(photo), photo) if photo.strip() else ""]

        @_told(1)
        def take_upload(name: str, path: str) -> Iterator[list[Any]]:
            try:
                yield [desks(name).upload(path)]
            finally:
                Path(path).unlink(missing_ok=True)

        @_told(1)
        def edit(name: str, photo: str, text: str, methods: list[str], at: float) -> Iterator[list[Any]]:
            if not methods:
                raise UserError("methods: none is chosen; valid: one or more of the list")
            sweeps: list[Sweep] = []
            for method in methods:
                sweeps.append(desks(name).sweep(photo, text, method))
                yield [page.cards(sweeps, at)]
            if all(sweep.refusal for sweep in sweeps):
                raise UserError(f"No chosen method takes {text!r}. {sweeps[0].refusal}")

        @_told(1)
        def generate(name: str, words: str, method: str, n: int, seed: int) -> Iterator[list[Any]]:
            yield [page.pictures(desks(name).generate(words, method, int(n), int(seed)))]

        opened = dict(fn=open_dataset, inputs=dataset, outputs=[status, strip, photo, methods, method], **computes)
        blocks.load(**opened)
        dataset.change(**opened)
        photo.change(show_photo, [dataset, photo], [status, chosen], **computes, trigger_mode="always_last")
        upload.upload(take_upload, [dataset, upload], [status, photo], **computes)
        asked = dict(fn=edit, inputs=[dataset, photo, text, methods, at], outputs=[status, results], **computes)
        run.click(**asked)
        text.submit(**asked)
        at.change(None, at, None, js=page.SLIDE, api_visibility="private")
        wanted = dict(fn=generate, inputs=[dataset, words, method, n, seed], outputs=[status, made], **computes)
        make.click(**wanted)
        words.submit(**wanted)
    return blocks


def _told(outputs: int) -> Callable[[Callable[..., Iterator[list[Any]]]], Callable[..., Iterator[list[Any]]]]:
    """Let a handler's error be the page's message, which comes before its other ``outputs``, and clear older ones."""

    def told(handler: Callable[..., Iterator[list[Any]]]) -> Callable[..., Iterator[list[Any]]]:
        @wraps(handler)
        def run(*given: Any) -> Iterator[list[Any]]:
            import gradio as gr

            try:
                for shown in handler(*given):
                    yield ["", *shown]
            except _PROBLEMS as error:
                yield [page.notice(str(error)), *(gr.skip() for _ in range(outputs))]

        return run

    return told
