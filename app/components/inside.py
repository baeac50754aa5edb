"""A finished model, looked into: which model, which prompt, and what is seen."""

import math
from typing import Any

import streamlit as st

from app.components import token_strip
from app.components.address import choice, number, text_field
from app.components.chart import show_chart
from app.components.lesson import predict_first
from app.components.order import aside, later
from app.components.text_facts import TOKENS
from app.components.text_source import told
from app.components.who import me
from app.figures import inside as figures
from app.language import _, mark
from app.navigation import page
from core.errors import UserError
from core.language import texts
from core.language.recipe import LanguageRecipe
from core.language.text_recipe import TextRecipe
from core.runs import client, store
from core.runs.store import Run

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
MOST_LETTERS = 2_000
BEGINNING = 24  # characters of its text that a text model is asked to go on with, to begin with


def choose_run() -> str | None:
    """Which model; without any, the ways to one."""
    runs = {run.id: _named(run) for run in store.list_runs(me()) if run.state == "finished"
            and isinstance(run.recipe, LanguageRecipe | TextRecipe)}  # fmt: skip
    if not runs:
        st.info(
            _("There is no language model yet. Bring one up on the page Pipeline, or train one on a text; both take "
              "about a minute.")
        )  # fmt: skip
        with st.container(horizontal=True):
            for slug, label in (("pipeline", _("Pipeline")), ("pre-training", _("Pre-training"))):
                st.page_link(page(slug), label=label, icon=":material/arrow_forward:")
        return None
    if st.query_params.get("run", next(iter(runs))) not in runs:
        st.warning(_("The link names a run that has no language model; here is the newest."))
    return choice(st.selectbox, _("Run"), "run", runs)


def _named(run: Run) -> str:
    if isinstance(run.recipe, TextRecipe):
        return f"{told(run.recipe.source)} · {_(TOKENS[run.recipe.tokens])} · {run.name} ({run.id})"
    return f"{run.name} ({run.id})"


def settings() -> dict[str, Any]:
    """How the next word is drawn; each in the link."""
    return {
        "temperature": number(_("Temperature"), "temperature", 1.0, 0.0, 3.0, step=0.1),
        "top_k": int(number(_("Only the k best (0: all)"), "top_k", 0, 0, 100, step=1)),
        "top_p": number(_("Only the likeliest up to p"), "top_p", 1.0, 0.05, 1.0, step=0.05),
        "seed": int(number(_("Seed"), "seed", 0, 0, 99, step=1)),
        "count": int(number(_("Tokens to go on with"), "count", 8, 1, 200, step=1)),
    }


def prompt(run: str) -> str:
    """The prompt's field and its examples; in the link."""
    recipe = store.get(run, me()).recipe
    if isinstance(recipe, TextRecipe):
        return _text_prompt(recipe)
    with st.container(horizontal=True):
        for key, (words, text) in EXAMPLES.items():
            st.button(_(words), key=f"example-{key}", on_click=_take, args=(text,))
    label = _("Prompt: words with spaces between")
    return text_field(st.text_input, label, "prompt", EXAMPLES["pick"][1], MOST_LETTERS)


def _text_prompt(recipe: TextRecipe) -> str:
    """Any text; at first the beginning of the text that was learnt."""
    beginning = "" if "prompt" in st.query_params else _beginning(recipe.source)
    return text_field(st.text_area, _("Prompt: any text"), "prompt", beginning, MOST_LETTERS, height=100)


@st.cache_data(max_entries=50, show_spinner=False)
def _beginning(source: str) -> str:
    try:
        return texts.load(source)[:BEGINNING]
    except UserError:  # not kept any more; the model is
        return ""


@st.cache_data(max_entries=300, show_spinner=False)
def looked(run: str, text: str, **drawn: Any) -> dict[str, Any]:
    """`core.language.inside.look`, kept by its inputs."""
    found: dict[str, Any] = client.call("core.language.inside:look", run=run, prompt=text, **drawn)
    return found


def show(found: dict[str, Any]) -> None:
    """The part of the page that is chosen."""
    later(_goes_on, found)
    part = choice(
        st.pills, _("Part"), "part", {name: _(words) for name, words in PARTS.items()}, required=True,
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    {"next": _next, "attention": _attention, "layers": _layers, "weights": _weights}[part](found)


def _goes_on(found: dict[str, Any]) -> None:
    joint = "" if found["text"] else " "
    st.code(f"{joint.join(found['tokens'])} → {joint.join(found['goes_on'])}", language=None, wrap_lines=True)
    _question(found)


def _next(found: dict[str, Any]) -> None:
    words = {"probability": _("probability after T, top-k and top-p")}
    vocabulary = [token_strip.visible(token) for token in found["vocabulary"]]
    show_chart(figures.next_token(found["next"], vocabulary, words), key="next", alt=_("What comes next"))
    if found["likelihoods"]:
        size = len(found["vocabulary"])
        mean = -sum(found["likelihoods"]) / len(found["likelihoods"])
        st.markdown(
            _("How surprised it was by the prompt itself: {mean:.2f} nats a token. Guessing evenly among {size} tokens "
              "would cost {even:.2f}. The fuller the colour, the greater the surprise.").format(
                mean=mean, size=size, even=math.log(size))
        )  # fmt: skip
        token_strip.by_surprise(found["tokens"], found["likelihoods"], "surprise", "" if found["text"] else " ")
        words_read = [token_strip.visible(token) for token in found["tokens"][1:]]
        table = {"word": words_read, "nats": [-value for value in found["likelihoods"]]}
        names: Any = {"word": _("Token"), "nats": st.column_config.NumberColumn(_("−log p in nats"), format="%.3f")}
        st.dataframe(table, hide_index=True, column_config=names)


def _attention(found: dict[str, Any]) -> None:
    weights = found["attention"]  # (layers, heads, T, T)
    with aside(st.container(horizontal=True)):
        layer = int(number(_("Layer"), "layer", 1, 1, weights.shape[0], step=1, width=200))
        head = int(number(_("Head"), "head", 1, 1, weights.shape[1], step=1, width=200))
    chosen = weights[layer - 1, head - 1]
    tokens = [token_strip.visible(token) for token in found["tokens"]]
    figure = figures.attention(chosen, tokens, {"to": _("looks at"), "from": _("word")})
    show_chart(figure, key="attention", alt=_("Where it looks"))
    last = chosen[-1]
    place = int(last.argmax())
    st.markdown(
        _("The last word of the prompt looks mostly at word {place}, with {share:.0%}. No word sees what comes after "
          "it: above the diagonal everything is 0.").format(place=place + 1, share=float(last[place]))
    )  # fmt: skip


def _layers(found: dict[str, Any]) -> None:
    names = [_("before the first layer"), *(_("after layer {n}").format(n=n) for n in range(1, len(found["guesses"])))]
    rows = [
        {_("Where"): name, **{f"{i}": f"{token_strip.visible(word)}  {p:.0%}" for i, (word, p) in enumerate(best, 1)}}
        for name, best in zip(names, found["guesses"], strict=True)
    ]
    st.dataframe(rows, hide_index=True)
    st.markdown(
        _("Read through the last norm and the output matrix, the residual stream says after each layer what it would "
          "answer if it were the end (logit lens). Here the answer goes from {first} to {last}.").format(
            first=_quoted(found["guesses"][0][0][0]), last=_quoted(found["guesses"][-1][0][0]))
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


def _quoted(token: str) -> str:
    """A token as code in a sentence; it comes from a person's text, so no mark of it may be taken for markup."""
    return f"`{token_strip.visible(token).replace('`', 'ˋ')}`"


def _take(text: str) -> None:
    st.query_params["prompt"] = text
