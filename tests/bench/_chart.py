"""Line charts as SVG: small, text as text, readable on light and dark pages."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 40, 52
# Okabe and Ito's colours, told apart by people who see fewer; the second of each is for dark pages.
COLOURS = (("#0072b2", "#56b4e9"), ("#d55e00", "#f0a05a"), ("#007d5c", "#3ecfa0"), ("#aa4499", "#dd88cc"))
Points = Sequence[tuple[float, float]]


def line_chart(
    title: str, x_label: str, y_label: str, lines: Mapping[str, Points], log_x: bool = False, log_y: bool = False
) -> str:
    """The SVG of some named lines; a single one needs no legend. Axes that are not logarithmic begin at 0."""
    across = _Axis([x for points in lines.values() for x, _ in points], log_x, LEFT, WIDTH - RIGHT)
    up = _Axis([y for points in lines.values() for _, y in points], log_y, HEIGHT - BOTTOM, TOP)
    parts = [_head(title, len(lines))]
    for tick in up.ticks:
        y = up.place(tick)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(tick)}</text>')
    for tick in across.ticks:
        x = across.place(tick)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_short(tick)}</text>')
    middle = (TOP + HEIGHT - BOTTOM) / 2
    centre = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{centre}" y="{HEIGHT - 14}" text-anchor="middle">{escape(x_label)}</text>')
    parts.append(f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>')
    for number, points in enumerate(lines.values()):
        placed = [(across.place(x), up.place(y)) for x, y in points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in placed)
        parts.append(f'<path class="line c{number}" d="M{path}"/>')
        parts += [f'<circle class="dot c{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in placed]
    parts += _legend(list(lines)) if len(lines) > 1 else []
    return "\n".join([*parts, "</svg>\n"])


class _Axis:
    """From numbers to pixels, and the numbers that are written beside it."""

    def __init__(self, values: Sequence[float], log: bool, start: float, end: float) -> None:
        self.log, self.start, self.end = log, start, end
        if log:
            assert min(values) > 0, "a logarithm"
            self.low, self.high = math.log10(min(values)), math.log10(max(values))
            self.low, self.high = math.floor(self.low + 1e-9), max(math.ceil(self.high - 1e-9), self.low + 1)
            self.ticks = [10.0**k for k in range(int(self.low), int(self.high) + 1)]
        else:
            step = _step(max(values))
            self.low, self.high = 0.0, step * math.ceil(max(values) / step - 1e-9)
            self.ticks = [step * k for k in range(round(self.high / step) + 1)]

    def place(self, value: float) -> float:
        number = math.log10(value) if self.log else value
        return self.start + (self.end - self.start) * (number - self.low) / (self.high - self.low)


def _step(most: float) -> float:
    """1, 2 or 5 times a power of ten, of which about five make up the whole."""
    rough = max(most, 1e-9) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * k for k in (1, 2, 5, 10) if power * k >= rough)


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _head(title: str, lines: int) -> str:
    def colours(which: int) -> str:
        return "".join(f".c{k}{{stroke:{c[which]};fill:{c[which]}}}" for k, c in enumerate(COLOURS[:lines]))

    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">
<title>{escape(title)}</title>
<style>text{{font:12px system-ui,sans-serif;fill:#24292f}}.title{{font-weight:600;font-size:13px}}
.grid{{stroke:#8c959f;stroke-opacity:.35}}{colours(0)}.line{{fill:none;stroke-width:2}}
@media(prefers-color-scheme:dark){{text{{fill:#e6edf3}}{colours(1)}.line{{fill:none}}}}</style>
<text class="title" x="{LEFT}" y="18">{escape(title)}</text>"""


def _legend(names: Sequence[str]) -> list[str]:
    found = []
    for number, name in enumerate(names):
        y = TOP + 12 + 17 * number
        found.append(f'<path class="line c{number}" d="M{LEFT + 10} {y - 4}h18"/>')
        found.append(f'<text x="{LEFT + 34}" y="{y}">{escape(name)}</text>')
    return found
