"""Figures as plain dictionaries say the same as plotly's own, and films play what they are given."""

import numpy as np
import plotly.graph_objects as go

from app.figures.plain import Plain, packed, two_panels
from app.figures.playback import film, film_of
from app.figures.training import curves

KNOWN_TO_THE_BROWSER = {"i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8"}


def unpacked(value):
    assert value["dtype"] in KNOWN_TO_THE_BROWSER
    import base64

    return np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"]).reshape(
        [int(n) for n in value["shape"].split(",")]
    )


def test_arrays_travel_as_bytes():
    for array in (np.arange(5), np.linspace(0, 1, 7), np.eye(3, dtype=np.float32), np.zeros((2, 3), np.uint8)):
        np.testing.assert_allclose(unpacked(packed(array)), array, rtol=1e-6)
    assert packed({"marker": {"color": np.arange(2)}})["marker"]["color"]["dtype"] == "i4"
    assert packed([1, None]) == [1, None]


def test_a_plain_figure_is_a_valid_figure():
    trace = {"type": "scatter", "x": np.arange(3), "y": [1.0, None, 2.0], "xaxis": "x2", "yaxis": "y2"}
    figure = Plain([trace], two_panels(("a", "b"), x=({}, {}), y=({}, {}), height=200))
    assert go.Figure(figure.to_dict()).layout.height == 200  # plotly checks every name


def test_a_film_has_its_frames_and_says_what_they_are_called():
    data = [{"type": "scatter", "x": [0], "y": [0]}]
    frames = [[{"type": "scatter", "x": [k]}] for k in range(3)]
    spec = film_of(data, {}, frames, (0,), "Step {number}", (0, 5, 10)).to_dict()
    go.Figure(spec)
    assert [frame["data"] for frame in spec["frames"]] == frames
    assert spec["layout"]["meta"]["frames"] == ["Step 0", "Step 5", "Step 10"]
    made = film(go.Figure(data), frames, (0,), "Step {number}").to_dict()
    assert made["layout"]["meta"]["frames"] == ["Step 0", "Step 1", "Step 2"]


def test_curves_show_every_step_and_every_epoch():
    steps = [{"event": "step", "epoch": k / 4, "loss": 2 / (k + 1), "accuracy": k / 8} for k in range(8)]
    epochs = [{"event": "epoch", "epoch": 1, "validation_loss": 0.5, "validation_accuracy": 0.75}]
    names = ("loss", "accuracy", "epoch", "training", "validation")
    spec = curves([{"event": "started"}, *steps, *epochs], {name: name.title() for name in names}).to_dict()
    go.Figure(spec)  # plotly checks every name
    loss, validation_loss, accuracy, validation_accuracy = spec["data"]
    np.testing.assert_allclose(unpacked(loss["x"]), [step["epoch"] for step in steps])
    np.testing.assert_allclose(unpacked(loss["y"]), [step["loss"] for step in steps], rtol=1e-6)
    np.testing.assert_allclose(unpacked(accuracy["y"]), [step["accuracy"] for step in steps])
    assert [float(unpacked(trace["y"])[0]) for trace in (validation_loss, validation_accuracy)] == [0.5, 0.75]
    assert [trace["name"] for trace in spec["data"]] == ["Training", "Validation"] * 2
    assert [trace["yaxis"] for trace in spec["data"]] == ["y", "y", "y2", "y2"]
