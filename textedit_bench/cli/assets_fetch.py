"""``textedit-bench assets fetch|verify|add``: download files, verify them, and extend the list."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from textedit_bench.data.destination import check_folder
from textedit_bench.errors import UserError, unknown_choice
from textedit_bench.files import HOME, home

if TYPE_CHECKING:
    from textedit_bench.assets.manifest import Asset

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Asset ids or files, or data sets or their cards (the full tier)."),
]
_UNPACKED = "unpacked; its archive, which a checksum could be compared with, is not there"
Accept = Annotated[bool, typer.Option("--accept-licence", help="Accept the licences of the named files, once.")]


def fetch(
    names: Names = None,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="Copy from a folder instead of the network.")
    ] = None,
    accept_licence: Accept = False,
) -> None:
    """Download files; partial downloads are resumed, complete ones verified. Exit code 1 if one failed.

    \b
    Examples:
      textedit-bench assets fetch clip-b32
      textedit-bench assets fetch DATASET --accept-licence
      textedit-bench assets fetch sg2-ffhq-ros --from /media/disk
    """
    from textedit_bench.assets import accepted
    from textedit_bench.assets.check import WrongFileError
    from textedit_bench.assets.fetch import fetch as bring
    from textedit_bench.assets.transfer import TransferError

    check_folder(home(), HOME)
    wanted = _wanted(names)
    if not wanted:
        raise UserError("assets fetch: nothing is named; valid: ids (see: assets list) or data sets")
    if source is not None and source.is_file() and len(wanted) > 1:
        raise UserError(f"--from {source}: is one file, but {len(wanted)} assets are named; valid: a folder")
    for asset in wanted:  # nothing is fetched before all is agreed to
        accepted.require(asset, accept=accept_licence)
    failed = False
    for asset in wanted:
        try:
            with _Progress(asset) as progress:
                how = bring(asset, source=source, accept_licence=accept_licence, progress=progress)
            typer.echo(f"{asset.id}: {how} ({asset.unpacked or asset.path})")
        except (TransferError, WrongFileError, UserError) as error:
            if isinstance(error, UserError) and len(wanted) == 1:
                raise
            failed = True
            typer.echo(f"{asset.id}: failed: {error}", err=True)
    raise typer.Exit(1 if failed else 0)


def verify(names: Names = None) -> None:
    """Verify checksums of files, by default of all that are present. Exit code 1 if one is wrong or missing.

    \b
    Examples:
      textedit-bench assets verify
      textedit-bench assets verify sg2-ffhq-ros
    """
    from textedit_bench.assets.check import WrongFileError
    from textedit_bench.assets.fetch import verify as look
    from textedit_bench.assets.manifest import list_assets

    wanted = _wanted(names) or [asset for asset in list_assets().values() if asset.present]
    if not wanted:
        typer.echo("nothing has been fetched yet; see: textedit-bench assets list")
    failed = False
    for asset in wanted:
        try:
            grounds, digest = _grounds(asset), look(asset)
            typer.echo(f"{asset.id}: right ({f'{grounds}; sha256 {digest}' if digest else _UNPACKED})")
        except FileNotFoundError:
            failed = True
            typer.echo(f"{asset.id}: missing: {asset.advice()}", err=True)
        except (WrongFileError, OSError) as error:
            failed = True
            typer.echo(f"{asset.id}: wrong: {error} ({asset.place})", err=True)
    raise typer.Exit(1 if failed else 0)


def add(
    name: Annotated[str, typer.Argument(metavar="ID", help="Asset id; a new one needs --licence.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file, which is copied and checked.")],
    licence: Annotated[str | None, typer.Option(metavar="TEXT", help="Licence of a new asset.")] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Description of a new asset.")] = None,
    url: Annotated[
        str | None, typer.Option(metavar="LINK", help="Address from which others can get a new asset.")
    ] = None,
    accept_licence: Accept = False,
) -> None:
    """Copy a file you have to its expected path; with a new id, add it to your own list, so that cards can name it.

    \b
    Examples:
      textedit-bench assets add e4e-ffhq ~/Downloads/e4e_ffhq_encode.pt --accept-licence
      textedit-bench assets add my-generator network.pt --licence MIT
    """
    from textedit_bench.assets.check import WrongFileError
    from textedit_bench.assets.fetch import fetch as bring
    from textedit_bench.assets.manifest import list_assets
    from textedit_bench.assets.own import list_own, own_asset, refuse_other_file
    from textedit_bench.assets.transfer import TransferError

    check_folder(home(), HOME)
    if not file.is_file():
        raise UserError(f"file {file}: there is no such file")
    known = list_assets().get(name)
    if known is not None and (licence or title or url):
        raise UserError(f"asset {name!r} is known already; --licence, --title and --url describe new ones")
    try:
        asset = known or own_asset(name, file, licence=licence, title=title, url=url)
        refuse_other_file(asset, file)
    except OSError as error:
        raise UserError(f"file {file}: cannot be read ({error.strerror or error})") from error
    try:
        how = bring(asset, source=file, accept_licence=accept_licence)
    except WrongFileError as error:
        raise UserError(f"file {file}: not the asset {name}: {error}") from error
    except TransferError as error:
        typer.echo(f"{name}: failed: {error}", err=True)
        raise typer.Exit(1) from error
    if known is None:  # last: what is on the list is there
        list_own(asset)
    typer.echo(f"{name}: {how} ({asset.path})")


def _wanted(names: list[str] | None) -> list[Asset]:
    """Find assets by id, file name, or data set, without duplicates."""
    return list({asset.id: asset for name in names or () for asset in _named(name)}.values())


def _named(name: str) -> list[Asset]:
    """Find the asset of an id or file name; else those of a data set's full tier, by its name, alias or card."""
    from textedit_bench.assets.manifest import get_asset, list_assets
    from textedit_bench.registry import dataset_names, is_card_path, list_datasets, load_dataset

    known = list_assets()
    if name in known or any(asset.file == name for asset in known.values()):
        return [get_asset(name)]
    datasets = [*dataset_names(), *(alias for card in list_datasets() for alias in card.aliases)]
    if name not in datasets and not is_card_path(name):
        raise unknown_choice("data set or asset", name, known, first=datasets)
    part = load_dataset(name).tier("full")
    used = [*part.networks.values(), *([part.source.asset] if part.source and part.source.asset else [])]
    return [known[id_] for id_ in used if id_ in known]  # a file in the card's folder needs no download


def _grounds(asset: Asset) -> str:
    """Describe what the file was compared with."""
    from textedit_bench.assets.accepted import remembered

    if asset.has_checksum:
        return {"several": "checksum of several sources", "one": "checksum of one source"}.get(
            asset.evidence, "checksum"
        )
    return "as it first came; its publisher states no checksum" if remembered(asset) else "no checksum is known"


class _Progress:
    """Progress bar on a terminal; shows nothing elsewhere."""

    def __init__(self, asset: Asset) -> None:
        self._bar, self._task = None, None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(asset.id, total=asset.size)

    def __enter__(self) -> _Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, have: int, total: int | None) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=have, total=total)
