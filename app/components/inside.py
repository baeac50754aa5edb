"""A finished life's model, looked into: which model, which prompt, and what is seen."""

import math
from typing import Any

import streamlit as st

from app.components.address import choice, number
from app.components.lesson import predict_first
from app.components.who import me
from app.figures import inside as figures
from app.language import _, mark
from app.navigation import page
from core.language.recipe import LanguageRecipe
from core.runs import client, store

EXAMPLES = {
    "name": (mark("Name the category"), "[name] cat animal apple fruit 红"),
    "pick": (mark("Pick up a symbol from examples"), "[pick] dog ◆ plum ★ 马"),
    "none": (mark("No example to go by"), "[pick] horse"),
}
PARTS = {
    "next": mark("What comes next"),
    "attention": mark("Where it looks"),
    "layers": mark("Layer by layer"),
    "weights": mark("Its weights"),
}
MOST_LETTERS = 500


def choose_run() -> str | None:
    """Which model; without any, the way to one."""
    runs = {run.id: run.name for run in store.list_runs(me()) if run.state == "finished"
            and isinstance(run.recipe, LanguageRecipe)}  # fmt: skip
    if not runs:
        st.info(_("There is no language model yet. Bring one up on the page Pipeline; it takes about a minute."))
        st.page_link(page("pipeline"), label=_("Pipeline"), icon=":material/arrow_forward:")
        return None
    if st.query_params.get("run", next(iter(runs))) not in runs:
        st.warning(_("The link names a run that has no language model; here is the newest."))
    return choice(st.selectbox, _("Run"), "run", runs)


def settings() -> dict[str, Any]:
    """How the next word is drawn; each in the link."""
    return {
        "temperature": number(_("Temperature"), "temperature", 1.0, 0.0, 3.0, step=0.1),
        "top_k": int(number(_("Only the k best (0: all)"), "top_k", 0, 0, 65, step=1)),
        "top_p": number(_("Only the likeliest up to p"), "top_p", 1.0, 0.05, 1.0, step=0.05),
        "seed": int(number(_("Seed"), "seed", 0, 0, 99, step=1)),
        "count": int(number(_("Words to go on with"), "count", 4, 1, 20, step=1)),
    }


def prompt() -> str:
    """The prompt's field and its examples; in the link."""
    with st.container(horizontal=True):
        for key, (words, text) in EXAMPLES.items():
            st.button(_(words), key=f"example-{key}", on_click=_take, args=(text,))
    st.session_state["prompt"] = st.query_params.get("prompt", EXAMPLES["pick"][1])[:MOST_LETTERS]
    st.text_input(_("Prompt: words with spaces between"), key="prompt", max_chars=MOST_LETTERS, on_change=_typed)
    return str(st.session_state["prompt"])


@st.cache_data(max_entries=300, show_spinner=False)
def looked(run: str, text: str, **drawn: Any) -> dict[str, Any]:
    """`core.language.inside.look`, kept by its inputs."""
    found: dict[str, Any] = client.call("core.language.inside:look", run=run, prompt=text, **drawn)
    return found


def show(found: dict[str, Any]) -> None:
    """The part of the page that is chosen."""
    st.code(" ".join(found["tokens"]) + " → " + " ".join(found["goes_on"]), language=None, wrap_lines=True)
    _question(found)
    part = choice(
        st.pills, _("Part"), "part", {name: _(words) for name, words in PARTS.items()}, required=True,
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    {"next": _next, "attention": _attention, "layers": _layers, "weights": _weights}[part](found)


def _next(found: dict[str, Any]) -> None:
    words = {"probability": _("probability after temperature, top-k and top-p")}
    st.plotly_chart(
        figures.next_token(found["next"], found["vocabulary"], words), key="next", alt=_("What comes next")
    )
    if found["likelihoods"]:
        size = len(found["vocabulary"])
        mean = -sum(found["likelihoods"]) / len(found["likelihoods"])
        st.markdown(
            _("How surprised it was by the prompt itself: {mean:.2f} nats a word. Guessing evenly among {size} words "
              "would cost {even:.2f}.").format(mean=mean, size=size, even=math.log(size))
        )  # fmt: skip
        table = {"word": found["tokens"][1:], "nats": [-value for value in found["likelihoods"]]}
        names: Any = {"word": _("Word"), "nats": st.column_config.NumberColumn(_("−log p in nats"), format="%.3f")}
        st.dataframe(table, hide_index=True, column_config=names)


def _attention(found: dict[str, Any]) -> None:
    weights = found["attention"]  # (layers, heads, T, T)
    with st.container(horizontal=True):
        layer = int(number(_("Layer"), "layer", 1, 1, weights.shape[0], step=1, width=200))
        head = int(number(_("Head"), "head", 1, 1, weights.shape[1], step=1, width=200))
    chosen = weights[layer - 1, head - 1]
    st.plotly_chart(
        figures.attention(chosen, found["tokens"], {"to": _("looks at"), "from": _("word")}), key="attention",
        alt=_("Where it looks"),
    )  # fmt: skip
    last = chosen[-1]
    place = int(last.argmax())
    st.markdown(
        _("The last word of the prompt looks mostly at word {place}, with {share:.0%}. No word sees what comes after "
          "it: above the diagonal everything is 0.").format(place=place + 1, share=float(last[place]))
    )  # fmt: skip


def _layers(found: dict[str, Any]) -> None:
    names = [_("before the first layer"), *(_("after layer {n}").format(n=n) for n in range(1, len(found["guesses"])))]
    rows = [
        {_("Where"): name, **{f"{rank}": f"{word}  {share:.0%}" for rank, (word, share) in enumerate(best, 1)}}
        for name, best in zip(names, found["guesses"], strict=True)
    ]
    st.dataframe(rows, hide_index=True)
    st.markdown(
        _("Read through the last norm and the output matrix, the residual stream says after each layer what it would "
          "answer if it were the end (logit lens). Here the answer goes from {first} to {last}.").format(
            first=f"`{found['guesses'][0][0][0]}`", last=f"`{found['guesses'][-1][0][0]}`")
    )  # fmt: skip


def _weights(found: dict[str, Any]) -> None:
    rows = [
        {_("Name"): row["name"], _("Shape"): " × ".join(map(str, row["shape"])), _("Parameters"): row["count"]}
        for row in found["parameters"]
    ]
    total = sum(row["count"] for row in found["parameters"])
    st.markdown(_("{total:,} parameters. Prompting changes none of them: their hash stays {hash}.").format(
        total=total, hash=f"`{found['hash'][:16]}`"
    ))  # fmt: skip
    st.dataframe(rows, hide_index=True)


def _question(found: dict[str, Any]) -> None:
    """How sure is it?"""
    best = max(range(len(found["next"])), key=found["next"].__getitem__)
    sure = found["next"][best]
    right = "sure" if sure > 0.9 else "torn" if sure < 0.5 else "likely"
    predict_first(
        f"sure-{' '.join(found['tokens'])}"[:80],
        _("How sure is the model of its next word?"),
        {"torn": _("under 50 %"), "likely": _("50 to 90 %"), "sure": _("over 90 %")},
        right,
        _("Its best guess gets {sure:.1%}.").format(sure=sure),
    )


def _typed() -> None:
    st.query_params["prompt"] = st.session_state["prompt"]


def _take(text: str) -> None:
    st.query_params["prompt"] = text
