"""The playground: every control, every kind of points, and what the page says to a link that is wrong."""

import json

import pytest

from core.maths.plane import EMPTY, read_points, starter
from tests.app.opening import charts, fine, opened, said, warned

pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]
PAGE = "playground"
QUICK = {"count": "40", "epochs": "10"}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", ["moons", "circles", "spiral", "xor", "blobs", "hand"])
def test_every_kind_of_points_opens(language, kind):
    app = fine(opened(PAGE, language, data=kind, **QUICK))
    shown = charts(app)
    assert len(shown) == 7 + 2 + (kind == "hand")
    film = next(picture for picture in shown if "frames" in picture)
    assert len(film["frames"]) == 11  # before each of the ten epochs, and after the last
    assert len(app.metric) == 3


def test_the_film_is_small_enough_for_a_class():
    app = fine(opened(PAGE, count="800"))
    film = next(chart for chart in charts(app) if "frames" in chart)
    assert len(film["frames"]) == 32
    assert len(json.dumps(film)) < 300_000


def test_every_control_is_in_the_link_and_works():
    app = fine(opened(PAGE, **QUICK))
    for key, value in {
        "noise": 0.5, "count": 60, "share": 0.5, "seed": 7, "depth": 1, "width": 4, "epochs": 20, "start": 3,
        "tree_depth": 2, "trees": 5, "k": 9,
    }.items():  # fmt: skip
        fine(app.slider(key=key).set_value(value).run())
        assert float(app.query_params[key]) == value
    for key, value in {"rate": 0.1, "decay": "0.1", "gamma": 10.0, "c": 1.0}.items():
        fine(app.select_slider(key=key).set_value(value).run())
        assert float(app.query_params[key]) == float(value)
    for key in ("squares", "product", "sine"):
        fine(app.toggle(key=key).set_value(True).run())
        assert app.query_params[key] == "1"
    for value in ("tanh", "sigmoid", "none"):
        fine(app.segmented_control(key="activation").set_value(value).run())
        assert app.query_params["activation"] == value
    fine(app.pills(key="models").set_value(["tree", "mlp"]).run())
    assert app.query_params["models"] == "tree,mlp"
    assert len(charts(app)) == 2 + 2
    again = opened(PAGE, **{name: value for name, value in app.query_params.items() if name != "lang"})
    assert [m.value for m in again.metric] == [m.value for m in app.metric]
    app.pills(key="models").set_value([]).run()
    assert "Choose a model" in app.info[-1].value


def test_a_line_is_not_enough_for_circles_and_features_are():
    told = said(opened(PAGE, data="circles", models="logistic,mlp"))
    assert "can only draw a straight line" in told
    assert "features that you have thought of" in said(opened(PAGE, data="circles", models="logistic,mlp", squares="1"))
    assert "straight line like" in said(opened(PAGE, data="circles", models="logistic,mlp", activation="none"))


def test_the_right_answer_is_the_least_test_error():
    app = opened(PAGE, data="spiral", models="logistic,tree,neighbours")
    radio = next(radio for radio in app.radio if radio.key.startswith("predict-"))
    radio.set_value("logistic").run()
    assert "k nearest neighbours: wrong on" in warned(app)
    next(radio for radio in app.radio if radio.key.startswith("predict-")).set_value("neighbours").run()
    assert "k nearest neighbours: wrong on" in app.success[0].value


def press(app, at: tuple[float, float]):
    app.session_state["playground-pressed"] = at
    return app.run()


def test_points_are_set_undone_and_cleared():
    app = fine(opened(PAGE, data="hand", epochs="10"))
    fine(press(app, (0.5, -0.5)))
    assert len(read_points(app.query_params["points"])[0]) == len(read_points(starter())[0]) + 1
    fine(app.segmented_control(key="class").set_value("2").run())
    fine(press(app, (-0.9, 0.9)))
    assert read_points(app.query_params["points"])[1][-1] == 2
    fine(app.button(key="undo").click().run())
    assert len(read_points(app.query_params["points"])[0]) == len(read_points(starter())[0]) + 1
    app.button(key="clear").click().run()
    assert app.query_params["points"] == EMPTY
    assert "at least two points" in warned(app)
    assert "still shows the last points" in "".join(caption.value for caption in app.caption)
    assert len(app.metric) == 3  # the last good picture stays
    press(app, (0, 0))
    press(app, (0.5, 0))
    assert "one class" in warned(app)
    app.segmented_control(key="class").set_value("0").run()
    fine(press(app, (0, 0.5)))
    assert len(read_points(app.query_params["points"])[0]) == 3


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("points", ["NaN", "1e308", "nan,nan,0;1,1,1", "9KK0KK", "<script>", "0KK" * 201, "🎈🎈🎈"])
def test_garbage_for_points_gets_a_sentence(language, points):
    app = opened(PAGE, language, data="hand", epochs="10", points=points)
    assert not app.exception
    assert len(app.warning) == 1
    assert app.button(key="clear")
    assert len(app.metric) == 3  # nothing good was there before, so the points to begin with are shown


def test_points_of_one_class_get_a_sentence():
    assert "one class" in warned(opened(PAGE, data="hand", points="0KK0AA"))


def test_garbage_leaves_the_last_good_picture():
    app = fine(opened(PAGE, data="hand", epochs="10"))
    before = [metric.value for metric in app.metric]
    app.query_params["points"] = "1e308"
    app.run()
    assert "cannot be read" in warned(app)
    assert [metric.value for metric in app.metric] == before


def test_a_full_link_takes_no_more_points():
    full = "".join(f"{k % 2}{'0123456789ABCDEFGHIJ'[k % 20]}{'0123456789'[k // 20]}" for k in range(200))
    app = fine(opened(PAGE, data="hand", epochs="10", points=full))
    press(app, (1, 1))
    assert "at most 200 points" in warned(app)
    assert app.query_params["points"] == full
    app.run()
    assert not app.exception


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"models": "tree,alexnet"}, "“alexnet” is not a value of models"),
        ({"data": "iris"}, "“iris” is not a value of data"),
        ({"activation": "gelu"}, "“gelu” is not a value of activation"),
        ({"decay": "5"}, "is not a value of decay"),
        ({"noise": "nan"}, "noise must be a number"),
        ({"count": "1e308"}, "count must be a number"),
        ({"count": "2"}, "count must be a number"),
        ({"depth": "-1"}, "depth must be a number"),
        ({"depth": "2.5"}, "depth must be a number"),
        ({"rate": "inf"}, "rate must be a number"),
        ({"rate": "0"}, "rate must be a number"),
        ({"k": "many"}, "k must be a number"),
    ],
)
def test_a_wrong_link_gets_a_sentence(parameters, sentence):
    app = opened(PAGE, **(QUICK | parameters))
    assert not app.exception
    assert sentence in warned(app)
    assert len(app.metric) == 3


def test_a_loss_that_overflows_keeps_the_film_before_it():
    """The answers are still finite then; a film of nothing, or of infinite losses, would not be shown."""
    wild = {"depth": "2", "width": "64", "activation": "none", "rate": "10", "decay": "10", "count": "60",
            "noise": "0.2"}  # fmt: skip
    app = opened(PAGE, **wild)
    assert not app.exception
    assert "the numbers became too large to go on" in warned(app)
    film = next(chart for chart in charts(app) if "frames" in chart)
    assert film["frames"]
    assert "inf" not in app.metric[0].value


def test_test_points_can_be_told_apart_on_any_ground():
    film = next(chart for chart in charts(opened(PAGE, **QUICK)) if "frames" in chart)
    marks = {trace["name"]: trace["marker"] for trace in film["data"] if trace.get("mode") == "markers"}
    assert marks["Class 1, test"]["color"] == "white"
    assert marks["Class 1, test"]["line"]["color"] == marks["Class 1"]["color"]
    assert marks["Class 1"]["line"]["color"] == "white"


def test_a_network_that_breaks_and_one_that_has_no_test_points():
    wild = {"depth": "8", "width": "64", "activation": "none", "rate": "10", "decay": "10", "count": "100"}
    app = opened(PAGE, **wild)
    assert not app.exception
    assert "smaller learning rate" in warned(app)
    film = next(chart for chart in charts(app) if "frames" in chart)
    assert film["frames"]  # what was good is still shown
    app = fine(opened(PAGE, share="0", **QUICK))
    assert "No point is held out" in said(app)
    assert not app.radio
