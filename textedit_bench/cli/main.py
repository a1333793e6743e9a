"""Collect the subcommands and convert every outcome to an exit code.

0 all done, 1 something failed, 2 bad input (one line on stderr, no traceback), 130 interrupted, 143 and 129 ended by
SIGTERM and SIGHUP.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from textedit_bench import __version__, stopping
from textedit_bench.cli.assets import assets, convert, list_
from textedit_bench.cli.assets_fetch import add, fetch, verify
from textedit_bench.cli.bench import bench
from textedit_bench.cli.check import check_
from textedit_bench.cli.datasets import datasets, invert, list_datasets, prompts
from textedit_bench.cli.demo import demo
from textedit_bench.cli.doctor import doctor
from textedit_bench.cli.edit import edit
from textedit_bench.cli.generate import generate
from textedit_bench.cli.leaderboard import build, export, leaderboard
from textedit_bench.cli.methods import methods
from textedit_bench.cli.new_method import new_method
from textedit_bench.cli.options import UsageError, new_app, with_names
from textedit_bench.cli.output import flush_stdout, forgiving
from textedit_bench.cli.report import report
from textedit_bench.cli.reproduce import reproduce
from textedit_bench.cli.score import score
from textedit_bench.cli.study import analyse, make, study
from textedit_bench.cli.table import table
from textedit_bench.cli.train import train
from textedit_bench.cli.tune import tune
from textedit_bench.cli.why import why
from textedit_bench.cli.worlds import check, sheet, worlds
from textedit_bench.cli.worlds import train_ as train_world
from textedit_bench.errors import UserError, WorkError, unknown_choice
from textedit_bench.files import HOME, PlaceError, disk_is_full

_MEMORY = ("OutOfMemoryError", "can't allocate memory", "CUDA out of memory", "MemoryError", "failed to map segment")


def machine_failure(error: BaseException) -> str | None:
    """Describe a failure of the machine in one line; None if the error is of another kind.

    Commands write files atomically, so nothing has to be cleaned up.
    """
    place = getattr(error, "filename", None)
    where = f"{place}: " if place else ""
    if disk_is_full(error):
        return f"{where}the disk is full ({_reason(error)}); what was finished is kept. {HOME} moves what is fetched"
    if isinstance(error, OSError) and error.errno is not None and place is not None:
        return f"{where}{_reason(error)}"
    if isinstance(error, OSError) and error.errno is not None:
        return f"the system refused: {_reason(error)}"
    if isinstance(error, MemoryError) or any(sign in f"{type(error).__name__}: {error}" for sign in _MEMORY):
        return f"memory ran out ({_reason(error)}); fewer images, smaller batches or another device need less"
    return None


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or (str(error).splitlines() or [""])[0] or type(error).__name__
    return str(text)[:200]


PROGRAM = "textedit-bench"
INTERRUPTED = 130

_HELP = """Benchmark for text-driven image editing with StyleGAN.

\b
Examples:
  textedit-bench bench --method METHOD --dataset DATASET
  textedit-bench methods
  textedit-bench bench --help
"""


def _collect(into: typer.Typer, *commands: Callable[..., None]) -> typer.Typer:
    """Add functions as subcommands, with installed names in their examples."""
    for command in commands:
        into.command(command.__name__.rstrip("_").replace("_", "-"), help=with_names(command.__doc__ or ""))(command)
    return into


app = new_app(help=with_names(_HELP), invoke_without_command=True)
_collect(app, methods, bench, score, table, report, why, train, tune, edit, generate, demo, reproduce)
_collect(app, new_method, check_, doctor)
datasets.callback(invoke_without_command=True)(list_datasets)
app.add_typer(_collect(datasets, invert, prompts), name="datasets", help=with_names(list_datasets.__doc__ or ""))
app.add_typer(_collect(assets, list_, fetch, verify, add, convert), name="assets")
app.add_typer(_collect(study, make, analyse), name="study")
app.add_typer(_collect(leaderboard, export, build), name="leaderboard")
app.add_typer(_collect(worlds, sheet, check, train_world), name="worlds")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version and exit.")
    ] = False,
) -> None:
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(2)


def _ask_for_large_pages() -> None:
    """Let torch, not imported yet, ask the kernel for large pages.

    A generator spends up to half its time in page faults on pictures of 256 pixels and more where the kernel's setting
    is ``madvise`` (`docs/pages/speed.md`).
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: the arguments after the program's name; None takes those of the process.
    """
    _log_to_stderr()
    _ask_for_large_pages()
    with forgiving(), stopping.stoppable():
        code = _run(arguments)
        if code == INTERRUPTED or stopping.asked() is not None:
            code = _say(stopping.line(), stopping.exit_code())
    return code


def _run(arguments: Sequence[str] | None) -> int:
    """Run the command; every expected error is reported in one line."""
    if any("\0" in word for word in arguments or ()):  # shells never pass it on, and parsers treat it differently
        return _say("an argument contains a zero byte; valid: text", 2)
    try:
        _refuse_no_folder()
        code = app(args=arguments, prog_name=PROGRAM, standalone_mode=False) or 0
        flush_stdout()
        return int(code)
    except UserError as error:
        return _say(str(error), 2)
    except UsageError as error:
        return _say(_usage_message(error), 2)
    except (PlaceError, WorkError) as error:
        return _say(str(error), 1)
    except BrokenPipeError:  # the reader of the output has closed the pipe
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except SystemExit as error:  # Lightning ends an interrupted training in this way
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        return INTERRUPTED
    except Exception as error:
        if (line := machine_failure(error)) is None:
            raise
        return _say(line, 1)


def _refuse_no_folder() -> None:
    """Refuse to run in a folder that was removed, which libraries would report obscurely.

    Raises:
        UserError: the current folder was removed.
    """
    try:
        os.getcwd()
    except OSError as error:
        raise UserError("the current folder was removed; change to one that exists") from error


def _say(message: str, code: int) -> int:
    typer.echo(f"{PROGRAM}: {' '.join(message.split())}", err=True)
    return code


def _usage_message(error: Any) -> str:
    """Describe invalid arguments in one line, with the command that shows the valid ones."""
    context = getattr(error, "ctx", None)
    if context is None:
        return str(error.format_message())
    name = getattr(error, "option_name", None)
    known = [option for parameter in context.command.get_params(context) for option in parameter.opts]
    if name is not None and name not in known:
        return str(unknown_choice("option", name, [option for option in known if option.startswith("-")]))
    return f"{error.format_message().rstrip('.')}. See: {context.command_path} --help"


class _Stderr(logging.Handler):
    """Log handler that writes to the stderr of the moment of the message."""

    def emit(self, record: logging.LogRecord) -> None:
        typer.echo(self.format(record), err=True)


def _log_to_stderr() -> None:
    """Send log messages of the library to stderr, once, without changing other libraries' loggers."""
    for name in ("textedit_bench", "textedit_methods"):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(_Stderr())
            logger.setLevel(logging.INFO)


if __name__ == "__main__":
    sys.exit(main())
