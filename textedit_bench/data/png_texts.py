"""Strip text chunks of PNG files, which may be larger or more damaged than Pillow accepts."""

from __future__ import annotations

import struct

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NOTES = (b"tEXt", b"zTXt", b"iTXt", b"tIME")


def without_texts(data: bytes) -> bytes | None:
    """Remove the text chunks (captions, settings of a program) of a PNG; None if there are none, or it is not a PNG."""
    if not data.startswith(_SIGNATURE):
        return None
    kept, at = [_SIGNATURE], len(_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 12 + length
        if data[at + 4 : at + 8] not in _NOTES:
            kept.append(data[at:end])
        at = end
    kept.append(data[at:])
    found = b"".join(kept)
    return found if len(found) < len(data) else None
