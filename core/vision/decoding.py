"""From the bytes of a picture file to pixels, for files that nobody vouches for.

A picture file is a program for its decoder, and some are written to hurt: a few kilobytes that unfold to
gigabytes, frames behind frames, a text with the name of a picture. So: three formats, told by their first
bytes; sizes checked before anything is unfolded; only the first frame; and what does get unfolded is made small
strip by strip. Decoding takes at most about 200 MB and 2 seconds (tests/core/test_decoding.py measures it).
No torch here: this runs in a worker of little memory.
"""

import itertools
import re
import struct
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

from core.errors import UserError

Pixels = npt.NDArray[np.uint8]

LONGEST_SIDE = 1024  # pixels of what comes out
MAX_BYTES = 20_000_000
MAX_SIDE = 30_000  # pixels; Pillow also spends memory on every row
MAX_SCANS = 32  # of a progressive JPEG; programs that write them make about ten, and each goes over all coefficients
# Pillow goes through the parts of a file in Python and keeps some of each: five million empty comments in a JPEG of
# 20 MB took 656 MB and 5 s. Honest files of 20 MB have at most some hundreds, a PNG a few thousand.
MAX_PARTS = {"PNG": 20_000, "JPEG": 2_000}

JPEG_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # no restart marker: those stand within a scan

# The classes themselves, not Image.open: that would also hand a JPEG to the reader of multi-picture files.
# The bounds differ because the decoders do: bytes of memory for each pixel are about 4 for PNG, 20 for WebP
# (its decoder keeps four copies), 8 for a progressive JPEG (all coefficients), and next to none for a plain
# JPEG, which is shrunk while it is decoded.
READERS: dict[str, type[PngImagePlugin.PngImageFile | JpegImagePlugin.JpegImageFile | WebPImagePlugin.WebPImageFile]]
READERS = {
    "PNG": PngImagePlugin.PngImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
}
MAX_MEGAPIXELS = {"PNG": 36, "JPEG": 40, "progressive JPEG": 20, "WebP": 8}

# Pictures and documents that people take for ours, by their first bytes; those of AVIF and HEIC come after a length.
OTHER_KINDS = {
    b"GIF8": "GIF", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"BM": "BMP", b"%PDF": "PDF", b"<svg": "SVG", b"<?xml": "SVG",
    b"ftypavif": "AVIF", b"ftyphei": "HEIC", b"ftypmif1": "HEIC", b"8BPS": "Photoshop", b"PK\3\4": "ZIP",
}  # fmt: skip

# What Pillow raises for broken files, as found by its own documentation and by feeding it mutilated ones.
BROKEN = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, struct.error, OverflowError)

# EXIF tag 0x0112 says how the camera was held; value -> what puts the picture upright (EXIF 2.32, 4.6.4 A).
ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode_picture(data: bytes, longest_side: int = LONGEST_SIDE) -> Pixels:
    """(H,W,3) uint8, upright, on white where it was transparent, no side longer than `longest_side`.

    Raises `UserError` when these bytes are no PNG, JPEG or WebP picture, are broken, or are too large.
    """
    image = _open(data)
    try:
        share = min(1.0, longest_side / max(image.size))
        width, height = (max(1, round(share * side)) for side in image.size)
        return np.asarray(_upright(_shrunk(image, width, height), image))
    except BROKEN as error:
        raise _broken() from error


def decode_square(data: bytes, side: int) -> Pixels:
    """(side,side,3) uint8: the middle of the picture, its shorter side resized to `side`; as `decode_picture`."""
    image = _open(data)
    try:
        share = min(1.0, side / min(image.size))
        width, height = (max(1, round(share * length)) for length in image.size)
        small = _shrunk(image, width, height)
        left, top = (width - min(width, height)) / 2, (height - min(width, height)) / 2
        if small.size != (side, side):
            box = (left, top, width - left, height - top)
            small = small.resize((side, side), Image.Resampling.BICUBIC, box=box)
        return np.asarray(_upright(small, image))
    except BROKEN as error:
        raise _broken() from error


def picture_size(data: bytes) -> tuple[int, int]:
    """(width, height) by its header, before it is turned upright; no pixel is decoded. Raises as `decode_picture`."""
    return _open(data).size


def _broken() -> UserError:
    return UserError("This picture is broken or incomplete: it cannot be read to its end.")


def _open(data: bytes) -> Image.Image:
    """The picture with its header read and its size found harmless; no pixel is decoded yet."""
    if len(data) > MAX_BYTES:
        raise UserError(
            "This picture file has {megabytes} MB; at most {maximum} MB can be read.",
            megabytes=round(len(data) / 1e6, 1),
            maximum=MAX_BYTES // 10**6,
        )
    kind = _kind(data)
    if kind == "WebP":  # opening one already claims memory for all its pixels
        _check_size(kind, *_webp_size(data))
    _check_parts(kind, data)
    try:
        image = READERS[kind](BytesIO(data))
    except BROKEN as error:
        raise _broken() from error
    _check_size("progressive JPEG" if image.info.get("progressive") else kind, *image.size)
    return image


def _kind(data: bytes) -> str:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    for start, name in OTHER_KINDS.items():
        if data.startswith(start) or data[4:12].startswith(start):
            raise UserError(
                "This is a {kind} file, no PNG, JPEG or WebP picture: only these three are safe to read from anywhere. "
                "Save it as PNG and try again.",
                kind=name,
            )
    raise UserError("This file is no PNG, JPEG or WebP picture, whatever its name says.")


def _check_parts(kind: str, data: bytes) -> None:
    """Refuse files cut into more parts than any program writes."""
    if kind == "WebP":
        return
    parts = list(itertools.islice(_png_parts(data) if kind == "PNG" else _jpeg_parts(data), MAX_PARTS[kind] + 1))
    scans = sum(data[place : place + 2] == b"\xff\xda" for place in parts) if kind == "JPEG" else 0
    if len(parts) > MAX_PARTS[kind] or scans > MAX_SCANS:
        raise UserError("This picture file has too many parts to be read. Save it again with another program.")


def _png_parts(data: bytes) -> Iterator[int]:
    """Where each chunk begins (PNG, section 5.3)."""
    place = 8
    while place < len(data):
        yield place
        place += 12 + int.from_bytes(data[place : place + 4], "big")


def _jpeg_parts(data: bytes) -> Iterator[int]:
    """Where each marker begins (ITU T.81, B.1.1), and each stray byte before the first scan.

    What follows the end of the image, such as the film of a moving photograph, is no part of it.
    """
    place, scanning = 2, False
    while place + 1 < len(data) and not (scanning and data[place + 1] == 0xD9):
        yield place
        code = data[place + 1]
        if data[place] != 0xFF or code == 0xFF:
            place += 1
            continue
        scanning = scanning or code == 0xDA
        # Before the first scan Pillow reads, which takes those markers for empty for which it has no function.
        _name, _about, reads = JpegImagePlugin.MARKER.get(0xFF00 + code, ("", "", None))
        has_length = reads is not None or (scanning and code not in (0x01, 0xD8))
        place += 2 + (max(2, int.from_bytes(data[place + 2 : place + 4], "big")) if has_length else 0)
        if scanning:
            found = JPEG_MARKER.search(data, place)
            place = found.start() if found else len(data)


def _webp_size(data: bytes) -> tuple[int, int]:
    """(width, height) as its first chunk declares them (RFC 9649, sections 2.5 to 2.7)."""
    chunk, body = data[12:16], data[20:30].ljust(10, b"\0")
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    raise _broken()


def _check_size(kind: str, width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise _broken()
    if width * height > MAX_MEGAPIXELS[kind] * 1e6:
        raise UserError(
            "This picture has {megapixels} megapixels; a {kind} of at most {maximum} can be read. Make it smaller.",
            megapixels=round(width * height / 1e6, 1),
            kind=kind,
            maximum=MAX_MEGAPIXELS[kind],
        )
    if max(width, height) > MAX_SIDE:
        raise UserError(
            "This picture is {side} pixels long; at most {maximum} can be read. Make it smaller.",
            side=max(width, height),
            maximum=MAX_SIDE,
        )


def _shrunk(image: Image.Image, width: int, height: int) -> Image.Image:
    """RGB of this size, on white, without ever holding a second picture of the full size."""
    if image.size == (width, height) and image.mode == "RGB" and "transparency" not in image.info:
        image.load()  # nothing to do: sixty thousand small files feel it
        return image
    image.draft(None, (width, height))  # lets a JPEG be decoded at an eighth, a quarter or half of its size
    image.load()
    factor = max(1, min(image.width // width, image.height // height))
    reduced = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    for top, strip in _strips(image, 64 * factor):
        reduced.paste(_on_white(strip).reduce(factor), (0, top // factor))
    if reduced.size == (width, height):
        return reduced
    box = (0, 0, image.width / factor, image.height / factor)
    return reduced.resize((width, height), Image.Resampling.BICUBIC, box=box)


def _strips(image: Image.Image, rows: int) -> Iterator[tuple[int, Image.Image]]:
    if image.height <= rows:
        yield 0, image
        return
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _on_white(image: Image.Image) -> Image.Image:
    """RGB, whatever the mode was."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):  # 16 bits: Pillow's own conversion would cut off at 255, which is near black
        grey = np.asarray(image)
        levels = (grey >> 8).astype(np.uint8)
        levels[grey == image.info.get("transparency", -1)] = 255
        return Image.fromarray(levels).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    above = image.convert("RGBA")
    white = Image.new("RGBA", above.size, "white")
    return Image.alpha_composite(white, above).convert("RGB")


def _upright(small: Image.Image, original: Image.Image) -> Image.Image:
    """The picture as the camera was held, if its EXIF data say so in a way that can be read."""
    try:
        orientation = original.getexif().get(ORIENTATION_TAG, 1)
    except BROKEN:  # the pixels are fine, and that is what was asked for
        return small
    turn = UPRIGHT.get(orientation) if isinstance(orientation, int) else None
    return small if turn is None else small.transpose(turn)
