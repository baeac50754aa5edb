"""What there is to know of a text, part by part."""

from typing import Any

import streamlit as st

from app.components import token_strip
from app.components.address import choice, number
from app.components.chart import show_chart
from app.components.lesson import predict_first
from app.components.order import aside, later
from app.figures import text as figures
from app.language import _, mark
from app.navigation import has_page, page
from core.runs import client

TOKENS = {"characters": mark("Characters"), "bpe": mark("Pieces of words (BPE)")}
PARTS = {
    "tokens": mark("In tokens"),
    "vocabulary": mark("The vocabulary"),
    "frequency": mark("Frequency"),
    "lengths": mark("Lengths"),
    "duplicates": mark("Duplicates and split"),
}
WORLD_DOCUMENTS = 19_200  # as a life reads by default
Facts = dict[str, Any]


def choose_tokens() -> tuple[str, int]:
    """How a text is cut, and into how many kinds of piece at most."""
    with st.container(horizontal=True):
        kind = choice(st.segmented_control, _("A token is"), "tokens", {k: _(words) for k, words in TOKENS.items()},
                      required=True, width="content")  # fmt: skip
        size = 512
        if kind == "bpe":
            size = int(number(_("Size of the vocabulary"), "vocabulary", 512, 64, 8192, step=64, width=320))
    return kind, size


@st.cache_data(max_entries=30, show_spinner=False)
def text_facts(source: str, kind: str, size: int) -> Facts:
    """`core.language.corpus.corpus`, kept by its inputs."""
    found: Facts = client.call("core.language.corpus:corpus", source=source, tokens=kind, size=size)
    return found


@st.cache_data(max_entries=30, show_spinner=False)
def world_facts(documents: int, seed: int) -> Facts:
    found: Facts = client.call("core.language.corpus:world_corpus", documents=documents, seed=seed)
    return found


def world() -> Facts:
    """The word world of a life: its documents, the answers they settle, and the way to that life."""
    with aside(st.container(horizontal=True, vertical_alignment="bottom")):
        documents = int(number(_("Documents"), "documents", WORLD_DOCUMENTS, 640, 40_000, step=640, width=320))
        seed = int(number(_("Seed"), "seed", 0, 0, 99, step=1, width=200))
    found = world_facts(documents, seed)
    st.markdown(
        _("Each document asks for labels. A label with ✓ can be known: the task is to name the category, or a word of "
          "the same category stood before it. The others nobody can know, nor can the model.")
    )  # fmt: skip
    for task, pairs in found["documents"]:
        words = " · ".join(f"{word} {label}{' ✓' if known else ''}" for word, label, known in pairs)
        st.code(f"{task} {words}", language=None, wrap_lines=True)
    settled = [known for _task, pairs in found["documents"] for _word, _label, known in pairs]
    st.caption(_("Of these {count} labels, {share:.0%} can be known.").format(
        count=len(settled), share=sum(settled) / len(settled)))  # fmt: skip
    if has_page("pipeline"):
        link = {"documents": str(documents), "seed": str(seed)}
        st.page_link(
            page("pipeline"), label=_("Bring up a model on these"), query_params=link, icon=":material/play_arrow:"
        )
    return found


def show(found: Facts) -> None:
    """The part of the page that is chosen."""
    with aside():
        part = choice(st.pills, _("Part"), "part", {name: _(words) for name, words in PARTS.items()}, required=True,
                      label_visibility="collapsed", wrap=True)  # fmt: skip
    {"tokens": _tokens, "vocabulary": _vocabulary, "frequency": _frequency, "lengths": _lengths,
     "duplicates": _duplicates}[part](found)  # fmt: skip


def _tokens(found: Facts) -> None:
    with st.container(horizontal=True):
        if found["characters"]:
            st.metric(_("Characters"), f"{found['characters']:,}")
        st.metric(_("Tokens"), f"{found['tokens']:,}")
        st.metric(_("Vocabulary"), f"{found['vocabulary']:,}")
        if found["characters"]:
            st.metric(_("Characters per token"), f"{found['characters'] / found['tokens']:.2f}")
    st.caption(
        _("The beginning; each colour is one token of the vocabulary, ⏎ ends a line. Point at one for its number.")
    )
    token_strip.by_id(found["beginning"], "beginning", joined="" if found["characters"] else " ")


def _vocabulary(found: Facts) -> None:
    whole = found["tokens"]
    rows = {
        _("Number"): [i for i, _token, _count in found["rows"]],
        _("Token"): [token_strip.visible(token) for _i, token, _count in found["rows"]],
        _("How often"): [count for _i, _token, count in found["rows"]],
        _("Share"): [count / whole for _i, _token, count in found["rows"]],
    }
    st.dataframe(rows, hide_index=True, column_config={_("Share"): st.column_config.NumberColumn(format="percent")})
    if len(found["rows"]) < found["vocabulary"]:
        shown = len(found["rows"])
        st.caption(_("The {shown:,} most frequent of {all:,}.").format(shown=shown, all=found["vocabulary"]))


def _frequency(found: Facts) -> None:
    counts = [count for _i, _token, count in found["rows"]]
    ten = sum(counts[:10]) / found["tokens"]
    right = "few" if ten < 0.25 else "half" if ten < 0.6 else "most"
    later(
        predict_first, f"ten-{found['tokens']}-{found['vocabulary']}",
        _("How much of the text are its ten most frequent tokens?"),
        {"few": _("less than a quarter"), "half": _("a quarter to 60 %"), "most": _("more than 60 %")}, right,
        _("They are {share:.0%} of it.").format(share=ten),
    )  # fmt: skip
    line = found["zipf"]
    words = {"counts": _("tokens"), "line": _("fitted line"), "rank": _("rank"), "count": _("how often")}
    show_chart(figures.zipf(line, words), key="zipf", alt=_("How often each token occurs, by rank"))
    if line["slope"] is not None:
        st.markdown(
            _("The fitted line has the slope {slope:.2f}. Zipf found about −1 for the words of a language: the second "
              "most frequent occurs half as often as the first, the third a third as often. Characters bend away from "
              "it, since there are so few of them.").format(slope=line["slope"])
        )  # fmt: skip


def _lengths(found: Facts) -> None:
    left, right = st.columns(2)
    with left:
        st.markdown(f"**{_('Tokens of the vocabulary')}**")
        words = {"length": _("characters"), "count": _("tokens")}
        figure = figures.lengths(found["token_lengths"], words)
        show_chart(figure, key="token-lengths", alt=_("Lengths of the tokens"))
    with right:
        st.markdown(f"**{_('Lines of the text')}**")
        words = {"length": _("characters"), "count": _("lines")}
        figure = figures.lengths(found["line_lengths"], words)
        show_chart(figure, key="line-lengths", alt=_("Lengths of the lines"))


def _duplicates(found: Facts) -> None:
    share = found["duplicates"] / max(1, found["lines"])
    st.markdown(
        _("Of {lines:,} lines, {duplicates:,} stood there before ({share:.1%}). What is repeated is learnt by heart, "
          "and a model that is asked for it in the validation seems better than it is.").format(
            lines=found["lines"], duplicates=found["duplicates"], share=share)
    )  # fmt: skip
    if found["repeated"]:
        st.dataframe(
            {_("How often"): [n for _l, n in found["repeated"]], _("Line"): [line for line, _n in found["repeated"]]},
            hide_index=True,
        )
    split = found["split"]
    if split is None:
        st.markdown(_("Nothing is held back: validation asks about documents that are made afresh."))
        return
    st.markdown(
        _("The first {training:,} characters are for training, the last {validation:,} for validation. {leaked:.1%} of "
          "the validation lines stand word for word in the training part, too.").format(**split)
    )  # fmt: skip
