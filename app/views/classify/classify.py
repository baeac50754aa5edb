"""Classify: what a picture shows, by a network trained on ImageNet or by one you trained yourself."""

import time

import streamlit as st

from app.components import classified
from app.components.address import choice
from app.components.code import show_code
from app.components.downloading import bring, look_again
from app.components.page import page_header, user_errors
from app.components.who import me
from app.language import _
from core.errors import UserError
from core.runs import client, store
from core.vision.recipe import PictureRecipe
from core.vision.samples import sample_pictures

TITLE = "Classify"
ICON = ":material/image_search:"
ORDER = 10
MOST_PICTURES = 32

client.look_after()  # somebody will be ready by the time that a picture is chosen: importing torch takes seconds
page_header(_("Classify"), _("Show a picture to a network: what does it take it for, and where did it look?"))

finished = [run for run in store.list_runs(me()) if run.state == "finished"]
runs = {run.id: run.name for run in finished if isinstance(run.recipe, PictureRecipe)}
names = {
    "imagenet": _("ImageNet: EfficientNet-Lite0, 1,000 classes"),
    "imagenet-resnet18": _("ImageNet: ResNet-18 (downloaded at first use)"),
    "imagenet-resnet50": _("ImageNet: ResNet-50 (downloaded at first use)"),
    **runs,
}
if st.query_params.get("model", "imagenet") not in names:
    st.warning(_("There is no such model here; the first is used."))
model = choice(st.selectbox, _("Model"), "model", names)

files: dict[str, bytes] = {}
upload, camera, sample = st.tabs([_("Upload"), _("Camera"), _("Samples")])
with upload:
    given = st.file_uploader(
        _("Your pictures"), type=["png", "jpg", "jpeg", "webp"], accept_multiple_files=True, max_upload_size=20
    )
    if len(given) > MOST_PICTURES:
        st.error(_("At most {n} pictures at once: the first {n} are shown.").format(n=MOST_PICTURES))
    files |= {f"{k + 1}. {one.name[:80]}": one.getvalue() for k, one in enumerate(given[:MOST_PICTURES])}
with camera:
    if st.toggle(_("Switch the camera on")) and (shot := st.camera_input(_("Take a photograph"))):
        files[_("Photograph")] = shot.getvalue()
with sample:
    samples = sample_pictures()
    chosen = st.pills(_("A sample"), list(samples), key="sample", bind="query-params")
    if chosen:
        files[chosen] = samples[chosen]

with user_errors():
    good = classified.readable(files)
    if good:
        bring(model)
        try:
            answers = classified.classify(tuple(good.values()), model)
        except UserError:
            look_again(model, time.time())
            raise
        results = dict(zip(good, answers, strict=True))
        if len(results) > 1:
            classified.table(results)
        for name, result in results.items():
            classified.show(name, good[name], result)

show_code("core.vision.classification:classify", "core.vision.explanation:grad_cam")
