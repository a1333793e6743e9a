"""Archives of data sets into the data folder, all or nothing."""

from __future__ import annotations

import os
import secrets
import shutil
import zipfile
from pathlib import Path

from textedit_bench.assets.check import WrongFileError


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip so that ``target`` is there whole or not at all.

    A single folder that holds everything else is left out: LSUN's zips name it in ways that their readers do not
    expect.

    Raises:
        WrongFileError: no zip, a damaged one, or one that would write outside the target.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.part")
    try:
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                if name.startswith(("/", "\\")) or ".." in Path(name.replace("\\", "/")).parts or ":" in name:
                    raise WrongFileError(f"{archive}: it would write outside its folder ({name[:80]!r})")
            opened.extractall(temporary)
        inside = list(temporary.iterdir())
        root = inside[0] if len(inside) == 1 and inside[0].is_dir() else temporary
        os.replace(root, target)
    except zipfile.BadZipFile as error:
        raise WrongFileError(f"{archive}: not a zip, or a damaged one ({error})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
