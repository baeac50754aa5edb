"""The charts of `tests.bench.growth`, drawn from its figures."""

from pathlib import Path
from typing import Any

from tests.bench._chart import line_chart


def draw(found: dict[str, Any], folder: Path) -> None:
    """Write the SVG of every part that has been measured."""
    for name, chart in CHARTS.items():
        part = name.partition("-")[0]
        if part in found:
            (folder / f"{name}.svg").write_text(chart(found[part]), encoding="utf-8")


def _size(found: dict[str, Any]) -> str:
    points = [(row["pictures"], row["seconds_per_epoch"]) for row in found["rows"]]
    return line_chart(
        "Seconds per epoch, article's net on a CPU", "pictures", "seconds", {"": points}, log_x=True, log_y=True
    )


def _memory(found: dict[str, Any]) -> str:
    rows = [row for row in found["rows"] if "anonymous_mb" in row]
    lines = {
        "pixels of the data set": [(row["pictures"], row["pixels_mb"]) for row in rows],
        "memory of the process": [(row["pictures"], row["anonymous_mb"]) for row in rows],
        "pages of files it holds": [(row["pictures"], row["mapped_mb"]) for row in rows],
    }
    title = f"Memory; above {found['resident_mb']} MB of pixels from a mapped file"
    return line_chart(title, "pictures", "MB", lines, log_x=True, log_y=True)


def _batch(found: dict[str, Any]) -> str:
    points = [(row["batch"], row["pictures_per_second"]) for row in found["rows"]]
    return line_chart("Pictures a second by batch size", "batch size", "pictures a second", {"": points}, log_x=True)


def _threads(found: dict[str, Any]) -> str:
    points = [(row["threads"], row["pictures_per_second"]) for row in found["rows"]]
    cores = found["surroundings"]["cores"]
    return line_chart(f"Pictures a second by threads, {cores} cores", "threads", "pictures a second", {"": points})


def _sessions(found: dict[str, Any]) -> str:
    lines = {
        name: [(row["sessions"], row[key]) for row in found["rows"]]
        for name, key in (("95 of 100 within", "update_ms_p95"), ("half within", "update_ms_p50"))
    }
    return line_chart("Update of a page beside two trainings", "sessions", "milliseconds", lines)


CHARTS = {
    "size": _size, "size-memory": _memory, "batch": _batch, "threads": _threads, "sessions": _sessions,
}  # fmt: skip
