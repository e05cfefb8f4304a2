"""What a file is, by its first bytes: names for error messages, never by the suffix."""

from typing import Final

HEAD_BYTES: Final = 64
"""How much of a file `kind_of` needs to see."""

PICTURES: Final = frozenset({"JPEG", "PNG", "GIF", "BMP", "TIFF", "WebP", "AVIF", "HEIC"})

_STARTS: Final = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"BM", "BMP"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"\x1aE\xdf\xa3", "video"),
)

# ISO/IEC 23008-12 (HEIF) brands; plain "mif1" and "msf1" leave the coding to the other brands
_HEIC_BRANDS: Final = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS: Final = (b"avif", b"avis")


def kind_of(head: bytes) -> str:
    """What a file that begins with `head` is: one of `PICTURES`, "video", "HTML", "text", … or "".

    `head`: the first `HEAD_BYTES` bytes, or the whole of a shorter file.

    >>> kind_of(bytes.fromhex("ffd8ffe000104a464946"))
    'JPEG'
    >>> kind_of(b"<!doctype html><title>502</title>")
    'HTML'
    """
    head = head[:HEAD_BYTES]
    if head[:4] == b"RIFF":
        return {b"WEBP": "WebP", b"AVI ": "video"}.get(head[8:12], "")
    if head[4:8] == b"ftyp":
        return _kind_by_brands(head)
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    return _kind_of_text(head)


def first_bytes(head: bytes) -> str:
    """For error messages: the first bytes in hexadecimal, and what they look like if that is known.

    >>> first_bytes(bytes([255, 0, 0] * 3))
    'first bytes ff0000ff0000ff00…'
    >>> first_bytes(b"hello")
    'first bytes 68656c6c6f, which look like text'
    """
    shown = head[:8].hex() + ("…" if len(head) > 8 else "")
    kind = kind_of(head)
    return f"first bytes {shown}" + (f", which look like {kind}" if kind else "")


def _kind_by_brands(head: bytes) -> str:
    length = int.from_bytes(head[:4], "big")
    # the four bytes after the major brand are its version, no brand
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(length, len(head)), 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "AVIF"
    return "HEIC" if brands[0] in _HEIC_BRANDS else "video"


def _kind_of_text(head: bytes) -> str:
    try:
        # a character may be cut at the end of the head
        text = head.decode("utf-8", errors="strict" if len(head) < HEAD_BYTES else "ignore")
    except UnicodeDecodeError:
        return ""
    if not text or not all(letter.isprintable() or letter.isspace() for letter in text):
        return ""
    opening = text.lstrip("\ufeff \t\r\n").lower()
    if opening.startswith(("<!doctype html", "<html")):
        return "HTML"
    return "SVG" if opening.startswith("<svg") else "text"
