"""A claim as a class meets it: first what is claimed and a vote, then the verdict and what is so."""

import streamlit as st

from app.components.page import user_errors
from app.components.reading import run_links, show_text
from app.components.snippets import show_snippet
from app.components.who import me
from app.language import _, _n, current_language, mark
from content.article import VERDICTS, Article, Claim
from core import votes

COLOURS = {
    "true": ("green", ":material/check:"),
    "partly": ("orange", ":material/contrast:"),
    "outdated": ("gray", ":material/history:"),
    "unsupported": ("yellow", ":material/help:"),
    "false": ("red", ":material/close:"),
    "not-reproduced": ("blue", ":material/replay:"),
    "not-done": ("violet", ":material/block:"),
}
ANSWERS = {"true": mark("It is so"), "partly": mark("Partly so"), "false": mark("It is not so")}


def show_claim(article: Article, claim: Claim, place: str, told: bool = False) -> None:
    """A claim's card; `place` tells apart the cards of one claim, `told` shows the verdict without a vote."""
    voter = me().id
    shown = f"shown-{claim.id}"  # held beyond the widgets: a claim once revealed stays so in the session
    with st.container(border=True), user_errors():
        st.caption(_("The article, {sections}").format(sections=", ".join(claim.sections)))
        show_text(claim.claimed[current_language()])
        vote = votes.vote_of(claim.id, voter)
        if told or vote is not None or st.session_state.get(shown):
            _verdict(article, claim, place, vote)
        else:
            _ballot(claim, place, voter, shown)


def show_tally(article: Article) -> None:
    """How many claims have which verdict."""
    language = current_language()
    with st.container(horizontal=True):
        for verdict, words in VERDICTS.items():
            count = sum(claim.verdict == verdict for claim in article.claims)
            badge(verdict, f"{words[language]} {count}")


def badge(verdict: str, words: str) -> None:
    colour, icon = COLOURS[verdict]
    st.badge(words, color=colour, icon=icon, width="content")  # type: ignore[arg-type]


def _ballot(claim: Claim, place: str, voter: str, shown: str) -> None:
    with st.container(horizontal=True):
        for answer, words in ANSWERS.items():
            if st.button(_(words), key=f"vote-{place}-{claim.id}-{answer}"):
                votes.cast(claim.id, voter, answer, ANSWERS)
                st.rerun()
        if st.button(_("Show the verdict"), key=f"show-{place}-{claim.id}", type="tertiary"):
            st.session_state[shown] = True
            st.rerun()


def _verdict(article: Article, claim: Claim, place: str, vote: str | None) -> None:
    language = current_language()
    badge(claim.verdict, VERDICTS[claim.verdict][language])
    show_text(claim.so[language])
    if claim.as_of:
        st.caption(_("As of {day}").format(day=claim.as_of.isoformat()))
    _class_votes(claim, vote)
    for source in claim.sources:
        text = f"[{source.text}]({source.url})" if source.url else source.text
        st.caption(f"{text}, {source.year}")
    if claim.no_source:
        st.caption(claim.no_source[language])
    run_links(claim.runs)
    for name in claim.snippets:
        with st.expander(article.snippet(name).title[language], icon=":material/bug_report:"):
            show_snippet(article.snippet(name), f"{place}-{claim.id}")


def _class_votes(claim: Claim, vote: str | None) -> None:
    counts = votes.tally(claim.id, ANSWERS)
    total = sum(counts.values())
    if not total:
        return
    each = " · ".join(f"{_(ANSWERS[answer])} {count}" for answer, count in counts.items())
    line = _n("{n} vote", "{n} votes", total)
    mine = _("You: {answer}").format(answer=_(ANSWERS[vote])) if vote in ANSWERS else ""
    st.caption("  |  ".join(part for part in (line, each, mine) if part))
