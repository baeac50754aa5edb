"""What each node of a language model's life measured, as figures and tables."""

from typing import Any

import pandas as pd
import streamlit as st

from app.figures import language as figures
from app.language import _, mark

Event = dict[str, Any]
ROUTES = {
    "zero-shot": mark("Zero-shot prompt"),
    "few-shot": mark("Few-shot prompt, one example of each class"),
    "full-fine-tuning": mark("Full fine-tuning"),
    "lora": mark("LoRA"),
    "replay": mark("Full fine-tuning with replay"),
}
METHODS = {
    "fine-tuning": mark("Plain fine-tuning"),
    "replay": mark("Replay"),
    "ewc": "EWC",
    "lora": mark("LoRA for each task"),
    "joint": mark("All tasks at once"),
}


def show_node(node: str, event: Event, done: dict[str, Event], steps: list[Event]) -> None:
    """The result of one node; `steps` are those of pre-training."""
    st.caption(_("Measured in {seconds:.1f} s.").format(seconds=event["seconds"]))
    match node:
        case "large-scale-text":
            _numbers({_("Documents"): event["documents"], _("Tokens"): event["tokens"],
                      _("Vocabulary"): event["vocabulary"], _("Duplicates"): event["duplicates"]})  # fmt: skip
            st.markdown(_("One document:"))
            st.code(event["example"], language=None)
        case "pre-training":
            show_loss(steps, done["large-scale-text"])
            _shares({_("Right labels"): event["accuracy"], **_skills(event)})
        case "language-model":
            _numbers({_("Parameters"): event["parameters"]})
            st.markdown(_("Given the beginning, it goes on:"))
            st.code(f"{event['prompt']} → {event['goes_on']}", language=None)
        case "zero-shot":
            _shares({_("Accuracy"): event["accuracy"]})
            _interval(event)
        case "few-shot":
            words = {"examples": _("Examples of each class"), "accuracy": _("Accuracy")}
            st.plotly_chart(figures.shots(event["by_examples_per_class"], words), key="shots")
            _interval(event)
            _shares({_("Pairs never seen in training"): event["pairs_never_seen"]})
        case "full-fine-tuning" | "lora":
            _shares({_("New task"): event["accuracy"], **_skills(event)})
            trained, stored = event["trained_parameters"], event["bytes_to_store"]
            _numbers({_("Trained parameters"): trained, _("Bytes to store"): stored})
            if node == "lora":
                text = _("Switched off, the adapter leaves the base exactly as it was: {answer}.")
                st.markdown(text.format(answer=_("yes") if event["off_is_the_base"] else _("no")))
        case "adaptation":
            _routes(event["routes"])
        case "continual-learning":
            _methods(event["methods"])
        case "update":
            _gate(event)


def show_loss(steps: list[Event], text: Event) -> None:
    """The loss of pre-training between what guessing costs and nothing."""
    words = {
        "loss": _("Loss"), "uniform": _("guessing evenly"), "unigram": _("guessing by frequency"),
        "nats": _("nats per token"), "step": _("Step"),
    }  # fmt: skip
    figure = figures.loss(steps, text["uniform_loss"], text["unigram_loss"], words)
    st.plotly_chart(figure, key="pretraining-loss", alt=_("Loss of pre-training by step"))


def _skills(event: Event) -> dict[str, float]:
    return {_("Old skill: name the category"): event["old_skills"]["name"],
            _("Old skill: pick up from examples"): event["old_skills"]["pick"]}  # fmt: skip


def _interval(event: Event) -> None:
    low, high = event["confidence_95"]
    st.caption(_("95 % confidence interval: {low:.1%} to {high:.1%}.").format(low=low, high=high))
    if event["weights_unchanged"]:
        st.caption(_("The hash of the weights is the same before and after: prompting changes nothing in the model."))


def _numbers(shown: dict[str, int]) -> None:
    with st.container(horizontal=True):
        for label, value in shown.items():
            st.metric(label, f"{value:,}")


def _shares(shown: dict[str, float]) -> None:
    with st.container(horizontal=True):
        for label, value in shown.items():
            st.metric(label, f"{value:.1%}")


def _routes(routes: dict[str, Event]) -> None:
    rows = [
        {
            _("Route"): _(ROUTES[name]), _("New task"): route["accuracy"], _("Labelled examples"): route["examples"],
            _("Weights changed"): route["weights_changed"], _("Seconds"): route["seconds"],
            _("Old skill: name the category"): route["old_skills"]["name"],
            _("Old skill: pick up from examples"): route["old_skills"]["pick"],
        }
        for name, route in routes.items()
    ]  # fmt: skip
    _table(rows)


def _methods(methods: dict[str, Event]) -> None:
    _table([
        {
            _("Method"): _(METHODS[name]), _("Average accuracy"): found["accuracy"],
            _("Forgetting"): found["forgetting"], _("Backward transfer"): found["backward_transfer"],
            _("Old skill: name the category"): found["old_skills"]["name"],
            _("Old skill: pick up from examples"): found["old_skills"]["pick"],
        }
        for name, found in methods.items()
    ])  # fmt: skip
    chosen = st.selectbox(_("Method"), list(METHODS), format_func=lambda name: _(METHODS[name]), key="method")
    tasks = ["A", "B", "C"]
    words = {"before": _("before"), "after": _("after {task}")}
    st.plotly_chart(figures.forgetting(methods[chosen]["matrix"], tasks, words), key="forgetting")


def _gate(event: Event) -> None:
    names = {**ROUTES}
    for name, candidate in event["candidates"].items():
        label = _(names[name])
        if candidate["promoted"]:
            st.success(_("{candidate}: promoted, no skill fell by more than 5 points.").format(candidate=label))
            continue
        skills = {"name": _("name the category"), "pick": _("pick up from examples")}
        fallen = ", ".join(f"{skills[skill]} −{points:.0%}" for skill, points in candidate["fallen"].items())
        st.error(_("{candidate}: rejected. What fell: {fallen}.").format(candidate=label, fallen=fallen))
    st.markdown(_("In use now: version `{version}`.").format(version=event["version"]))


def _table(rows: list[dict[str, Any]]) -> None:
    table = pd.DataFrame(rows)
    shares = (_("New task"), _("Average accuracy"), _("Forgetting"), _("Backward transfer"),
              _("Old skill: name the category"), _("Old skill: pick up from examples"))  # fmt: skip
    formats = {name: st.column_config.NumberColumn(format="percent") for name in shares}
    st.dataframe(table, hide_index=True, column_config=formats)
