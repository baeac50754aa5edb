"""The bricks the files of the corpus are made of."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def plain(colour: str = "red", size: tuple[int, int] = (8, 8), mode: str = "RGB") -> Image.Image:
    return Image.new("RGB", size, colour).convert(mode)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width: int, height: int, depth: int = 8, colour: int = 2, interlaced: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))


def png(width: int, height: int, rows: bytes, extra: bytes = b"", **kind: int) -> bytes:
    """A PNG of these unpacked rows, with other chunks before them."""
    body = zlib.compress(rows, 9)
    return SIGNATURE + header(width, height, **kind) + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def red_png(extra: bytes = b"", size: int = 8) -> bytes:
    return png(size, size, (b"\0" + b"\xff\0\0" * size) * size, extra)


# First column and row of each pass of an interlaced PNG, and the steps between them (PNG, section 8.2).
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def white_png(width: int, height: int, interlaced: int = 0) -> bytes:
    """One bit a pixel: few bytes, many pixels."""
    packed, rows = zlib.compressobj(9), b""
    for left, top, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        columns, lines = -(-(width - left) // across), -(-(height - top) // down)
        for _ in range(lines if columns > 0 else 0):
            rows += packed.compress(b"\0" + b"\xff" * -(-columns // 8))
    kind = {"depth": 1, "colour": 0, "interlaced": interlaced}
    return SIGNATURE + header(width, height, **kind) + chunk(b"IDAT", rows + packed.flush()) + chunk(b"IEND", b"")


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG file."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(extra: bytes = b"", size: tuple[int, int] = (8, 8), **options: object) -> bytes:
    """A red JPEG with other bytes before its tables."""
    data = saved(plain(size=size), "JPEG", quality=95, subsampling=0, **options)
    return data[:2] + extra + data[2:]


def resized_header(data: bytes, width: int, height: int) -> bytes:
    """The same JPEG, whose header now claims another size."""
    place = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    return data[: place + 5] + struct.pack(">HH", height, width) + data[place + 9 :]


def webp(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def webp_canvas(width: int, height: int, flags: int = 0) -> bytes:
    """The first chunk of an extended WebP (RFC 9649, section 2.7)."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp_chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size)


def zipped(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def two_classes(first: str = "red", second: str = "blue", prefix: str = "", count: int = 3) -> dict[str, bytes]:
    """Files of a zip that is taken."""
    sorts = ((first, "red"), (second, "blue"))
    return {f"{prefix}{name}/{k}.png": saved(plain(colour)) for name, colour in sorts for k in range(count)}


def zip_with(files: Mapping[str, bytes]) -> bytes:
    """A zip of two classes and these files."""
    return zipped(two_classes() | files)
