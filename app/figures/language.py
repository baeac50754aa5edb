"""What the life of a language model measured. Numbers in, figures out."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.figures.plain import Plain, title

Words = Mapping[str, str]
# Okabe and Ito: told apart by every kind of colour vision.
BLUE, ORANGE, GREEN, PINK, SKY, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#999999"
_SHARE = {"range": [-0.03, 1.06], "tickformat": ".0%"}
_LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}


def loss(curve: Sequence[tuple[int, float]], uniform: float, unigram: float, words: Words) -> Plain:
    """Training loss in nats per token against steps, with what guessing costs."""
    lines = [
        {"type": "scatter", "x": [s for s, _ in curve], "y": [v for _, v in curve], "name": words["loss"],
         "mode": "lines", "line": {"color": BLUE}},
    ]  # fmt: skip
    shapes = [
        {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value,
         "line": {"dash": "dot", "color": ORANGE}}
        for value in (uniform, unigram)
    ]  # fmt: skip
    notes = [
        {"xref": "paper", "x": 1, "xanchor": "right", "y": value, "yanchor": place, "text": words[name],
         "showarrow": False}
        for value, name, place in ((uniform, "uniform", "bottom"), (unigram, "unigram", "top"))
    ]  # fmt: skip
    axes = {"yaxis": {**title(words["nats"]), "rangemode": "tozero"}, "xaxis": title(words["step"])}
    return Plain(lines, {**_layout(300), **axes, "shapes": shapes, "annotations": notes, "showlegend": False})


def shots(lines: Mapping[str, tuple[Mapping[str, float], Mapping[str, Sequence[float]]]], words: Words) -> Plain:
    """Accuracy against the number of examples of each class, with 95 % intervals; one line for each name."""
    traces = []
    for place, (name, (accuracies, intervals)) in enumerate(lines.items()):
        y = list(accuracies.values())
        bounds = [intervals.get(shot, (value, value)) for shot, value in accuracies.items()]
        error = {
            "type": "data", "symmetric": False, "array": [high - v for v, (_low, high) in zip(y, bounds, strict=True)],
            "arrayminus": [v - low for v, (low, _high) in zip(y, bounds, strict=True)],
        }  # fmt: skip
        colour, dash = (BLUE, ORANGE)[place % 2], ("solid", "dot")[place // 2 % 2]
        traces.append({
            "type": "scatter", "mode": "lines+markers", "x": list(accuracies), "y": y, "name": name, "error_y": error,
            "line": {"color": colour, "dash": dash},
        })  # fmt: skip
    axes = {"xaxis": {**title(words["examples"]), "type": "category"}, "yaxis": {**title(words["accuracy"]), **_SHARE}}
    return Plain(traces, {**_layout(340), **axes, "legend": _LEGEND})


def course(curve: Sequence[Mapping[str, float]], names: Words, words: Words, scratch: Sequence[Mapping[str, float]] = ()
           ) -> Plain:  # fmt: skip
    """Accuracy of each skill (`names`: key and words) in the course of a fine-tuning; from random weights dotted."""
    colours = dict(zip(names, (ORANGE, BLUE, GREEN, PINK, SKY), strict=False))
    traces = [_line(curve, key, name, colours[key]) for key, name in names.items()]
    if scratch:
        dotted = _line(scratch, "new", words["scratch"], GREY)
        dotted["line"]["dash"] = "dot"
        traces.append(dotted)
    axes = {"xaxis": title(words["step"]), "yaxis": {**title(words["accuracy"]), **_SHARE}}
    return Plain(traces, {**_layout(360), **axes, "legend": _LEGEND})


def ranks(found: Mapping[str, Mapping[str, float]], words: Words) -> Plain:
    """Accuracy on the new task against the trained parameters, one point for each rank."""
    trace = {
        "type": "scatter", "mode": "lines+markers+text", "x": [row["trained_parameters"] for row in found.values()],
        "y": [row["accuracy"] for row in found.values()], "text": [f"r = {rank}" for rank in found],
        "textposition": "bottom right", "line": {"color": ORANGE},
    }  # fmt: skip
    axes = {"xaxis": {**title(words["parameters"]), "type": "log"}, "yaxis": {**title(words["accuracy"]), **_SHARE}}
    return Plain([trace], {**_layout(300), **axes})


def bars(rows: Mapping[str, Mapping[str, float]], words: Words) -> Plain:
    """For each row of names a group of shares: name → (series → share)."""
    series = list(dict.fromkeys(name for row in rows.values() for name in row))
    traces = [
        {"type": "bar", "name": name, "x": list(rows), "y": [row.get(name) for row in rows.values()],
         "texttemplate": "%{y:.0%}", "marker": {"color": colour}}
        for name, colour in zip(series, (ORANGE, BLUE, GREEN, PINK, SKY), strict=False)
    ]  # fmt: skip
    axes = {"yaxis": {**title(words["accuracy"]), **_SHARE}, "xaxis": {"type": "category"}}
    return Plain(traces, {**_layout(360), **axes, "barmode": "group", "legend": _LEGEND})


def forgetting(matrix: Sequence[Sequence[float]], tasks: Sequence[str], words: Words) -> Plain:
    """Accuracy on each task (columns) after each task was learnt (rows), first row before any."""
    rows = [words["before"], *(words["after"].format(task=task) for task in tasks)]
    trace = {
        "type": "heatmap", "z": [list(row) for row in matrix], "x": list(tasks), "y": rows, "texttemplate": "%{z:.0%}",
        "colorscale": "Cividis", "zmin": 0, "zmax": 1, "showscale": False,
    }  # fmt: skip
    axes = {"yaxis": {"autorange": "reversed", "type": "category", "automargin": True}, "xaxis": {"type": "category"}}
    return Plain([trace], {**_layout(60 + 40 * len(rows)), **axes})


def next_words(best: Sequence[tuple[str, float]], words: Words) -> Plain:
    """The most probable next words, the best on top."""
    ordered = list(reversed(best))
    trace = {
        "type": "bar", "orientation": "h", "y": [word for word, _p in ordered], "x": [p for _word, p in ordered],
        "texttemplate": "%{x:.1%}", "marker": {"color": BLUE},
    }  # fmt: skip
    axes = {"xaxis": {**title(words["probability"]), "range": [0, 1.08], "tickformat": ".0%"},
            "yaxis": {"type": "category", "automargin": True}}  # fmt: skip
    return Plain([trace], {**_layout(60 + 30 * len(ordered)), **axes})


def _line(curve: Sequence[Mapping[str, float]], key: str, name: str, colour: str) -> dict[str, Any]:
    return {"type": "scatter", "mode": "lines+markers", "x": [row["step"] for row in curve],
            "y": [row[key] for row in curve], "name": name, "line": {"color": colour}}  # fmt: skip


def _layout(height: int) -> dict[str, Any]:
    return {"height": height, "margin": {"l": 10, "r": 10, "t": 30, "b": 10}}
