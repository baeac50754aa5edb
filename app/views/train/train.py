"""Train: the six steps of training as one page, and the run they lead to."""

import streamlit as st

from app.components import recipe_form as form
from app.components.code import show_code
from app.components.downloading import check_here
from app.components.page import page_header, user_errors
from app.components.previews import show_dataset, show_layers, upload_zip
from app.components.recipe_file import recipe_file
from app.components.run_watcher import watch
from app.components.who import check_folder, me
from app.language import _
from core.runs import store

TITLE = "Train"
ICON = ":material/model_training:"
ORDER = 10

page_header(_("Train"), _("Data, model, initialisation, training, validation, test: six steps, all of them yours."))
form.start_recipe()
form.choose_preset()
action = st.container()
run_area = st.container()

data, model = st.columns(2)
with data:
    st.subheader(_("1 · Data"))
    form.choose_dataset()
    with user_errors():
        upload_zip()
    with st.expander(_("More about the data")):
        form.fields("image_size", "train_limit")
with model:
    st.subheader(_("2 · Model"))
    form.choose_model()
    st.subheader(_("3 · Initialisation"))
    form.fields("seed", "device")

training, validation = st.columns(2)
with training:
    st.subheader(_("4 · Training"))
    form.fields("optimizer", "learning_rate", "schedule", "batch_size", "epochs")
    with st.expander(_("Regularisation and augmentation")):
        form.fields("weight_decay", "label_smoothing", "crop", "flip", "alternating_flip", "cutout")
with validation:
    st.subheader(_("5 · Validation"))
    form.fields("validation_share", "early_stopping", "keep_best")
    st.subheader(_("6 · Test"))
    form.fields("flip_test")
    st.markdown(_("The test part stays sealed. It is opened once, when training has ended."))

recipe = None
with action, user_errors():
    recipe = form.read_recipe()
    if st.button(_("Train"), type="primary", icon=":material/play_arrow:", key="train"):
        check_folder(recipe.dataset)
        check_here(recipe.dataset)
        st.query_params["run"] = store.submit(recipe, owner=me().id)
    recipe_file(recipe)

# Before the previews: on a slow data set they take a while, and the curve is what a person waits for.
with run_area, user_errors():
    if "run" in st.query_params:
        watch(st.query_params["run"])

if recipe is not None:
    with data, user_errors():
        show_dataset(recipe)
        with model:
            show_layers(recipe)

show_code(
    "core.training.loop:Trainer", "core.training.batches:Batches", "core.training.step:Step",
    "core.vision.task:PictureTask", "core.training.optimizers:make_optimizer",
)  # fmt: skip
