"""Every page in both languages, found by discovery; the train page from its form to a finished run."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from app.language import catalogue
from tests.app.opening import PAGES, opened

TRAIN = "train"

# Streamlit's own start-up warns about what AppTest lacks.
pytestmark = [pytest.mark.usefixtures("atlas_home"), pytest.mark.filterwarnings("default")]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("view", PAGES, ids=lambda view: view.slug)
def test_page_opens(view, language):
    app = opened(view.slug, language)
    assert not app.exception
    assert not app.error
    title = app.title[0].value
    if view.slug != "home":
        assert title == catalogue(language).gettext(view.title)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in title) == (language == "zh")


def test_train_from_form_to_finished_run():
    app = opened(TRAIN)
    app.number_input(key="recipe-epochs").set_value(3).run()
    assert app.query_params["epochs"] == "3"
    app.button(key="train").click().run()
    assert not app.exception
    deadline = time.monotonic() + 60
    while not app.success and time.monotonic() < deadline:
        time.sleep(0.5)
        app.run()
    assert "test accuracy" in app.success[0].value
    assert any(metric.label == "Gradient norm" for metric in app.metric)
    # Another session that opens the link sees the same run.
    other = opened(TRAIN, "zh", run=app.query_params["run"])
    assert "测试准确率" in other.success[0].value


def test_a_link_fills_the_form():
    app = opened(TRAIN, preset="overfit", learning_rate="0.002", model="resnet20")
    assert app.number_input(key="recipe-learning_rate").value == 0.002
    assert app.selectbox(key="recipe-model").value == "resnet20"
    assert app.number_input(key="recipe-train_limit").value == 60


def test_what_the_session_forgot_of_the_form_is_filled_in_again():
    """A browser that was interrupted knows only the first half of the page; Streamlit then forgets the other one."""

    def page() -> None:
        import streamlit as st

        from app.components import recipe_form as form

        form.start_recipe()
        form.choose_preset()
        form.choose_dataset()
        form.choose_model()
        if not st.session_state.get("interrupted"):
            form.fields(*(name for name in form.LABELS if name not in ("dataset", "model")))
            st.session_state["recipe"] = form.read_recipe()

    app = AppTest.from_function(page)
    app.query_params.update({"learning_rate": "0.02", "crop": "2"})
    before = app.run().session_state["recipe"]
    for interrupted in (True, False):
        app.session_state["interrupted"] = interrupted
        app.run()
    assert not app.exception
    assert app.session_state["recipe"] == before
    assert (before.learning_rate, before.crop) == (0.02, 2)


def test_choosing_a_preset_fills_the_form():
    app = opened(TRAIN)
    app.segmented_control(key="preset").set_value("overfit").run()
    assert app.number_input(key="recipe-epochs").value == 60


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"learning_rate": "-1"}, "learning_rate 不能小于"),
        ({"model": "alexnet"}, "model 只能是"),
        ({"preset": "none"}, "这里没有“none”"),
        ({"run": "unknown"}, "没有名为“unknown”的训练"),
        ({"run": "../../etc"}, "没有名为"),
    ],
)
def test_a_wrong_link_gets_a_sentence(parameters, sentence):
    app = opened(TRAIN, "zh", **parameters)
    assert not app.exception
    assert any(sentence in error.value for error in app.error)
    assert app.button(key="train")


def upload_recipe(text: str) -> AppTest:
    app = opened(TRAIN)
    return app.file_uploader(key="recipe-upload").upload("recipe.json", text.encode(), "application/json").run()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [('{"colour": 1}', "is not a field"), ('{"learning_rate": -1}', "at least"), ("nonsense", "not a JSON file")],
)
def test_a_wrong_recipe_file_gets_a_sentence(text, sentence):
    app = upload_recipe(text)
    assert not app.exception
    assert any(sentence in error.value for error in app.error)


def test_a_recipe_file_fills_the_form():
    app = upload_recipe('{"epochs": 7, "model": "plain20"}')
    assert app.number_input(key="recipe-epochs").value == 7
    assert app.selectbox(key="recipe-model").value == "plain20"


def test_classify_a_sample():
    app = opened("classify", sample="china")
    assert not app.exception
    assert not app.error
    assert app.get("progress")[0].proto.text.startswith("palace · ")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_link_names_the_model_in_either_language(language):
    app = opened("classify", language, model="imagenet-resnet50")
    assert app.selectbox(key="model").value == "imagenet-resnet50"
    assert app.query_params["model"] == "imagenet-resnet50"
    assert not app.warning
    assert opened("classify", language, model="nobody").warning


def test_a_text_file_named_png_gets_a_sentence():
    app = opened("classify")
    app.file_uploader[0].upload("a.png", b"not a picture", "image/png").run()
    assert not app.exception
    assert "no PNG, JPEG or WebP" in app.error[0].value
