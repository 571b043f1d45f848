"""Images, audio and video that a row brings with it: only text can be read, so such a row is no sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_KINDS = {"an image": ("image", "img"), "a video": ("video",), "audio": ("audio", "sound")}
_ENDINGS = ("", "s", "_path", "_paths", "_url", "_urls", "_file", "_files")
# column or key of a turn (lower case): what it holds
MEDIA = {f"{stem}{ending}": kind for kind, stems in _KINDS.items() for stem in stems for ending in _ENDINGS}
_MARKERS = ("<image>", "<video>", "<audio>", "<image_placeholder>", "<img>", "<|image|>")
_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".mp4", ".avi", ".mov", ".webm", ".wav", ".mp3", ".flac")  # fmt: skip
HELD = True  # what stands for a value that is there but was not read


def is_media(name: str) -> bool:
    """Whether a column of this name may hold images, audio or video."""
    return name.strip().casefold() in MEDIA


def held(record: Mapping[str, Any], texts: Iterable[str] = ()) -> str:
    """What media a record, or a turn, holds, as a reason; "" for none.

    A text in such a column may be anything; it counts where it names a file of that kind, where there is a list of
    texts, or where one of `texts` holds a marker such as <image>.
    """
    for name, value in record.items():
        if not isinstance(name, str) or not is_media(name) or value is None:
            continue
        if _is_media(value) or (isinstance(value, str) and value and _marked(texts)):
            return f'holds {MEDIA[name.strip().casefold()]} ("{name}"); only text can be read'
    return ""


def _is_media(value: Any) -> bool:
    if value is HELD:
        return True
    if isinstance(value, str):
        return value.strip().lower().endswith(_SUFFIXES) or value.startswith("data:")
    if isinstance(value, Mapping):
        return any(item is not None for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(item not in (None, "") for item in value)
    return isinstance(value, (bytes, bytearray)) and bool(value)


def _marked(texts: Iterable[str]) -> bool:
    return any(marker in text for text in texts for marker in _MARKERS)
