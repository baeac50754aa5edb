"""Pictures: odd ones that must come out right, and hostile ones that must be refused."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageCms

from tests.corpus import PICTURE, Case, Colour
from tests.corpus import making as m

RED, WHITE = (255, 0, 0), (255, 255, 255)
BROKEN, FOREIGN, PARTS = "broken or incomplete", "no PNG, JPEG or WebP", "too many parts"


def pictures() -> list[Case]:
    return [*_modes(), *_orientations(), *_odd(), *_other_formats(), *_broken(), *_bombs(), *_names()]


def _shows(name: str, make: Callable[[], bytes], colour: Colour = RED, size: tuple[int, int] | None = None) -> Case:
    return Case(name, make, PICTURE, colour=colour, size=size)


def _refused(name: str, make: Callable[[], bytes], words: str) -> Case:
    return Case(name, make, PICTURE, refused=words)


def _modes() -> Iterator[Case]:
    """Every colour mode a PNG, JPEG or WebP can have."""
    clear, half = Image.new("RGBA", (8, 8), (255, 0, 0, 0)), Image.new("RGBA", (8, 8), (255, 0, 0, 128))
    grey16 = Image.fromarray(np.full((8, 8), 128 * 256, dtype=np.uint16))
    rgb16 = (b"\0" + b"\xff\xff\0\0\0\0" * 8) * 8
    rgba16 = (b"\0" + b"\xff\xff\0\0\0\0\0\0" * 8) * 8
    cmyk = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    yield _shows("mode-1.png", lambda: m.saved(Image.new("1", (8, 8), 1)), WHITE)
    yield _shows("mode-L.png", lambda: m.saved(Image.new("L", (8, 8), 90)), (90, 90, 90))
    yield _shows("mode-LA.png", lambda: m.saved(Image.new("LA", (8, 8), (0, 0))), WHITE)
    yield _shows("mode-P.png", lambda: m.saved(m.plain(mode="P")))
    yield _shows("mode-P-transparent.png", lambda: m.saved(m.plain(mode="P"), transparency=bytes(256)), WHITE)
    yield _shows("mode-RGB.png", lambda: m.saved(m.plain()))
    yield _shows("mode-RGBA-clear.png", lambda: m.saved(clear), WHITE)
    yield _shows("mode-RGBA-half.png", lambda: m.saved(half), (255, 127, 127))
    yield _shows("grey-16-bit.png", lambda: m.saved(grey16), (128, 128, 128))
    yield _shows("rgb-16-bit.png", lambda: m.png(8, 8, rgb16, depth=16))
    yield _shows("rgba-16-bit-clear.png", lambda: m.png(8, 8, rgba16, depth=16, colour=6), WHITE)
    yield _shows("rgb-with-transparent-red.png", lambda: m.red_png(m.chunk(b"tRNS", b"\0\xff\0\0\0\0")), WHITE)
    yield _shows("interlaced.png", lambda: m.white_png(8, 8, interlaced=1), WHITE)
    yield _shows("grey.jpg", lambda: m.saved(Image.new("L", (8, 8), 90), "JPEG"), (90, 90, 90))
    yield _shows("cmyk.jpg", lambda: m.saved(cmyk, "JPEG", quality=95))
    yield _shows("progressive.jpg", lambda: m.jpeg(progressive=True))
    yield _shows("lossless.webp", lambda: m.saved(m.plain(), "WEBP", lossless=True))
    yield _shows("lossy.webp", lambda: m.saved(m.plain(), "WEBP", quality=95))
    yield _shows("clear.webp", lambda: m.saved(clear, "WEBP", lossless=True), WHITE)


def _orientations() -> Iterator[Case]:
    """A picture of 12 × 8, held in each of the eight ways, and one that says a ninth."""
    for orientation in (*range(1, 9), 9, 65_535):
        exif = Image.Exif()
        exif[0x0112] = orientation
        size = (8, 12) if 5 <= orientation <= 8 else (12, 8)
        yield _shows(
            f"orientation-{orientation}.jpg",
            lambda exif=exif: m.saved(m.plain(size=(12, 8)), "JPEG", exif=exif, quality=95, subsampling=0), size=size,
        )  # fmt: skip


def _odd() -> Iterator[Case]:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    frames = [m.plain("blue")] * 3
    many = [m.plain(colour) for colour in ("blue", "red") * 100]
    entries = b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" * 1_500_000
    loop = b"II*\0\x08\0\0\0\x01\0i\x87\4\0\1\0\0\0\x08\0\0\0"
    script = b"<script>fetch('http://127.0.0.1:9/')</script>"
    yield _shows("icc.png", lambda: m.saved(m.plain(), icc_profile=profile))
    yield _shows("icc.jpg", lambda: m.saved(m.plain(), "JPEG", icc_profile=profile, quality=95))
    yield _shows("icc-garbage.jpg", lambda: m.jpeg(m.segment(0xE2, b"ICC_PROFILE\0\x01\x01" + b"\xff" * 60_000)))
    yield _shows("one-pixel.png", lambda: m.red_png(size=1), size=(1, 1))
    yield _shows("large.png", lambda: m.saved(m.plain(size=(3000, 1500))), size=(1024, 512))
    yield _shows("thin.png", lambda: m.white_png(30_000, 1), WHITE, size=(1024, 1))
    yield _shows("animated.png", lambda: m.saved(m.plain(), save_all=True, append_images=frames))
    yield _shows("animated.webp", lambda: m.saved(m.plain(), "WEBP", save_all=True, append_images=many, lossless=True))
    yield _shows("10000-frames.png", lambda: m.saved(m.plain(), save_all=True, append_images=frames * 3_300))
    yield _shows("10000-frames.webp", _webp_of_frames)
    yield _shows("exif-18-megabytes.png", lambda: m.red_png(m.chunk(b"eXIf", b"II*\0\x08\0\0\0\xff\xff" + entries)))
    yield _shows("exif-loop.jpg", lambda: m.jpeg(m.segment(0xE1, b"Exif\0\0" + loop)))
    yield _shows("exif-garbage.jpg", lambda: m.jpeg(m.segment(0xE1, b"Exif\0\0" + b"\xff" * 60_000)))
    yield _shows("xmp-script.jpg", lambda: m.jpeg(m.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + script)))
    yield _shows("comment-script.jpg", lambda: m.jpeg(m.segment(0xFE, script)))
    yield _shows("text-script.png", lambda: m.red_png(m.chunk(b"tEXt", b"Title\0" + script)))
    yield _shows("picture-and-html.png", lambda: m.red_png() + b"<html>" + script)
    yield _shows("picture-and-zip.png", lambda: m.red_png() + m.zipped(m.two_classes()))
    yield _shows("picture-and-php.jpg", lambda: m.jpeg() + b"<?php system('id'); ?>")
    film = random.Random(0).randbytes(15_000_000)  # by chance it holds each pair of bytes some 230 times
    yield _shows("picture-and-film.jpg", lambda: m.jpeg(progressive=True) + film)
    yield _shows("wrong-extension.webp", m.red_png)
    yield _shows("name-of-a-program.exe", m.red_png)


def _other_formats() -> Iterator[Case]:
    """Decoders for these exist in Pillow, and are not asked."""
    for kind in ("GIF", "BMP", "TIFF", "AVIF"):
        told = f"a {kind} file, {FOREIGN}"
        yield _refused(f"named.{kind.lower()}.png", lambda kind=kind: m.saved(m.plain(), kind), told)
    for kind in ("ICO", "TGA", "PCX", "SGI", "DDS", "JPEG2000", "PPM"):
        yield _refused(f"named.{kind.lower()}", lambda kind=kind: m.saved(m.plain(size=(16, 16)), kind), FOREIGN)
    gif_bomb = b"GIF89a\xff\xff\xff\xff\x80\0\0" + b"\xff" * 6 + b",\0\0\0\0\xff\xff\xff\xff\0\x08" + b"\xff" * 1000
    tiff_bomb = b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + struct.pack("<HHII", 256, 4, 1, 2**31 - 1) * 2
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
    laughs = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "' + b"ha" * 5000 + b'">]><svg>&b;</svg>'
    yield _refused("bomb.gif", lambda: gif_bomb, "a GIF file")
    yield _refused("bomb.tiff", lambda: tiff_bomb, "a TIFF file")
    yield _refused("script.svg", lambda: svg, "a SVG file")
    yield _refused("billion-laughs.svg", lambda: laughs, "a SVG file")
    yield _refused("page.html.png", lambda: b"<html><script>alert(1)</script></html>", FOREIGN)
    yield _refused("document.pdf.jpg", lambda: b"%PDF-1.7\n1 0 obj <</JS (app.alert(1))>>", "a PDF file")
    yield _refused("script.eps", lambda: b"%!PS-Adobe-3.0 EPSF\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (r) file", FOREIGN)
    yield _refused("gifar.gif", lambda: m.saved(m.plain(), "GIF") + m.zipped(m.two_classes()), "a GIF file")
    yield _refused("html-before-picture.png", lambda: b"<html>" + m.red_png(), FOREIGN)
    yield _refused("program.png", lambda: b"\x7fELF" + bytes(1000), FOREIGN)
    yield _refused("text.png", lambda: b"this is a text with the name of a picture", FOREIGN)
    yield _refused("pickle.png", lambda: b"cos\nsystem\n(S'touch executed'\ntR.", FOREIGN)


def _broken() -> Iterator[Case]:
    good = m.saved(m.plain(size=(64, 64)), "JPEG")
    noise = m.saved(Image.effect_noise((64, 64), 90).convert("RGB"))
    broken_body = bytearray(noise)
    broken_body[200:400] = bytes(200)
    yield _refused("zero-bytes.png", lambda: b"", FOREIGN)
    yield _refused("zeros.png", lambda: bytes(10_000), FOREIGN)
    yield _refused("signature-alone.png", lambda: m.SIGNATURE, BROKEN)
    yield _refused("signature-alone.jpg", lambda: b"\xff\xd8\xff", BROKEN)
    yield _refused("signature-alone.webp", lambda: b"RIFF\0\0\0\0WEBP", BROKEN)
    yield _refused("cut.png", lambda: noise[: len(noise) // 2], BROKEN)
    yield _refused("cut.jpg", lambda: good[: len(good) // 2], BROKEN)
    yield _refused("cut.webp", lambda: m.saved(m.plain(size=(64, 64)), "WEBP")[:60], BROKEN)
    yield _refused("broken-idat.png", lambda: bytes(broken_body), BROKEN)
    yield _refused("no-idat.png", lambda: m.SIGNATURE + m.header(8, 8) + m.chunk(b"IEND", b""), BROKEN)
    yield _refused("no-header.png", lambda: m.SIGNATURE + m.chunk(b"IDAT", zlib.compress(b"\0" * 200)), BROKEN)
    yield _refused("colour-type-5.png", lambda: m.png(8, 8, bytes(500), colour=5), BROKEN)
    yield _refused("0-by-0.png", lambda: m.png(0, 0, b""), BROKEN)
    yield _refused("0-by-0.jpg", lambda: m.resized_header(m.jpeg(), 0, 0), BROKEN)
    yield _refused("chunk-of-2-gigabytes.png", lambda: m.SIGNATURE + m.header(8, 8) + b"\x7f\xff\xff\xffIDAT", BROKEN)


def _bombs() -> Iterator[Case]:
    """Few bytes that would unfold to gigabytes, or keep a processor busy."""
    zeros = m.chunk(b"IDAT", zlib.compress(bytes(300_000_000), 9))
    packed = zeros[8:-4]
    yield _refused("65535-by-65535.png", lambda: m.SIGNATURE + m.header(65_535, 65_535) + zeros, "megapix")
    yield _refused("2147483647-by-1.png", lambda: m.SIGNATURE + m.header(2**31 - 1, 1) + zeros, "pixels|broken")
    yield _refused("65535-by-65535.jpg", lambda: m.resized_header(m.jpeg(), 65_535, 65_535), "4294.8 megapixels")
    yield _refused("16384-by-16384.webp", lambda: m.webp(m.webp_canvas(16_384, 16_384)), "268.4 megapixels")
    lossless = b"\x2f\xff\xff\xff\x0f" + bytes(9)
    yield _refused("lossless-16384.webp", lambda: m.webp(m.webp_chunk(b"VP8L", lossless)), "268")
    yield _refused("canvas-hides-frame.webp", _webp_that_lies, BROKEN)
    yield _refused("100-megapixels.png", lambda: m.white_png(10_000, 10_000), "100.0 megapixels")
    yield _refused("40000-by-8.png", lambda: m.white_png(40_000, 8), "40000 pixels long")
    yield _refused("21-megabytes.png", lambda: m.red_png() + bytes(21_000_000), "at most 20 MB")
    yield _refused("text-bomb.png", lambda: m.red_png(m.chunk(b"zTXt", b"a\0\0" + packed)), BROKEN)
    yield _refused("icc-bomb.png", lambda: m.red_png(m.chunk(b"iCCP", b"a\0\0" + packed)), BROKEN)
    yield _refused("million-chunks.png", lambda: m.red_png(m.chunk(b"teSt", b"") * 1_600_000), PARTS)
    yield _refused("million-idat.png", lambda: m.red_png(m.chunk(b"IDAT", b"") * 1_600_000), PARTS)
    yield _refused("million-comments.jpg", lambda: m.jpeg(b"\xff\xfe\0\2" * 4_900_000), PARTS)
    yield _refused("million-fills.jpg", lambda: m.jpeg(b"\xff" * 19_000_000), PARTS)
    yield _refused("million-strays.jpg", lambda: m.jpeg(m.segment(0xFE, b"") + b"\xab" * 19_000_000), PARTS)
    yield _refused("thousand-scans.jpg", lambda: m.jpeg()[:-2] + m.segment(0xDA, b"") * 1000, PARTS)
    body = m.SIGNATURE + m.header(1, 1, colour=0) + zeros + m.chunk(b"IEND", b"")
    yield _shows("body-of-300-megabytes.png", lambda: body, (0, 0, 0))
    yield _shows("36-megapixels.png", lambda: m.saved(m.plain(size=(6000, 6000)), compress_level=1), size=(1024, 1024))
    yield _shows("36-megapixels-interlaced.png", lambda: m.white_png(6000, 6000, interlaced=1), WHITE)
    yield _shows("8-megapixels.webp", lambda: m.saved(m.plain(size=(3200, 2500), mode="RGBA"), "WEBP", method=0))
    yield _shows("40-megapixels.jpg", lambda: m.saved(m.plain(size=(8000, 5000)), "JPEG", quality=95))
    yield _shows("20-megapixels-32-scans.jpg", lambda: _jpeg_of_scans(32))
    yield _refused("20-megapixels-33-scans.jpg", lambda: _jpeg_of_scans(33), PARTS)
    yield _refused("million-scans.jpg", lambda: m.jpeg()[:-2] + b"\xff\x01" * 9_000_000, PARTS)


def _names() -> Iterator[Case]:
    """The name is the client's; nothing may depend on it."""
    for name in (
        "<script>alert(1)</script>.png", "two\nlines.png", "\u202egnp.exe", "n" * 300 + ".png", "../../../etc/passwd",
        "CON.png", "=cmd|' /C calc'!A0.png", "{0.__class__}.png", "猫.png",
    ):  # fmt: skip
        yield _shows(name, m.red_png)


def _webp_of_frames() -> bytes:
    """10,000 frames of 8 × 8 by repeating one."""
    data = m.saved(m.plain(), "WEBP", save_all=True, append_images=[m.plain("blue"), m.plain()], lossless=True)
    start = data.index(b"ANMF")
    frame = data[start : start + 8 + int.from_bytes(data[start + 4 : start + 8], "little")]
    return m.webp(data[12:start], frame * 10_000)


def _webp_that_lies() -> bytes:
    """Its canvas is 8 × 8, its picture 4000 × 4000."""
    data = m.saved(m.plain(size=(4000, 4000)), "WEBP", lossless=True)
    return m.webp(m.webp_canvas(8, 8), data[data.index(b"VP8L") :])


def _jpeg_of_scans(scans: int) -> bytes:
    """The last scan of a progressive JPEG, again and again: each goes over all coefficients."""
    data = m.saved(m.plain(size=(5000, 4000)), "JPEG", progressive=True, quality=30, subsampling=0)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (scans - data.count(b"\xff\xda")) + b"\xff\xd9"
