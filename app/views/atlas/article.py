"""Article: its chapters as a reading path, its claims with verdicts, its code made to run."""

import streamlit as st

from app.components.address import choice
from app.components.claims import show_claim, show_tally
from app.components.code import show_code
from app.components.page import page_header
from app.components.reading import concept_links, run_links, show_text
from app.components.snippets import show_program, show_snippet
from app.language import _, current_language
from content.article import VERDICTS, Article, Section, load_article
from content.concepts import load_concepts

TITLE = "Article"
ICON = ":material/article:"
ORDER = 30


def chapters(article: Article) -> None:
    """The reading path: a chapter, whole or one of its sections."""
    language = current_language()
    titles = {s.id: f"{s.id} {s.title[language]}" for s in article.sections if s.level == 1}
    # A link may name the section alone.
    wanted = st.query_params.get("section", "").split(".")[0]
    if "chapter" not in st.query_params and wanted in titles:
        st.query_params["chapter"] = wanted
    chapter = choice(st.selectbox, _("Chapter"), "chapter", titles)
    inside = [s for s in article.sections if s.id.split(".")[0] == chapter]
    parts = {"all": _("The whole chapter")} | {s.id: f"{s.id} {s.title[language]}" for s in inside if s.level > 1}
    part = choice(st.selectbox, _("Section"), "section", parts)
    for section in inside:
        if part in ("all", section.id) or section.id.startswith(f"{part}."):
            show_section(article, section)


def show_section(article: Article, section: Section) -> None:
    language = current_language()
    st.subheader(f"{section.id} {section.title[language]}", anchor=False)
    show_text(section.text[language])
    known = load_concepts()
    concept_links((slug, known[slug].name[language]) for slug in section.concepts if slug in known)
    run_links(section.runs)
    claims = article.claims_of(section.id)
    if claims:
        st.markdown(_("What the article claims here. Vote, then see what is so:"))
    for claim in claims:
        show_claim(article, claim, section.id)


def all_claims(article: Article) -> None:
    """Every claim, or those of one verdict; who asks for a verdict is shown it."""
    language = current_language()
    show_tally(article)
    options = {"all": _("All")} | {verdict: words[language] for verdict, words in VERDICTS.items()}
    verdict = choice(st.selectbox, _("Verdict"), "verdict", options)
    for claim in article.claims:
        if verdict in ("all", claim.verdict):
            show_claim(article, claim, "all", told=verdict != "all")


def code(article: Article) -> None:
    """What was wrong with the printed code, and the program as it should be."""
    for snippet in article.snippets:
        st.subheader(snippet.title[current_language()], anchor=False)
        show_snippet(snippet, "code")
    st.subheader(_("The whole program, corrected"), anchor=False)
    show_program(article)


article = load_article()
page_header(_("Article"), _("Read it in our words, vote on what it claims, and run what can be run."))
for error in article.errors:
    st.error(str(error), icon=":material/error:")
PARTS = {"read": (_("Read"), chapters), "claims": (_("Claims"), all_claims), "code": (_("Code"), code)}
chosen = choice(
    st.segmented_control,
    _("Part"),
    "part",
    {name: words for name, (words, _show) in PARTS.items()},
    required=True,
    label_visibility="collapsed",
)
PARTS[chosen][1](article)
show_code("core.sandbox:run_snippet", "core.votes:cast")
