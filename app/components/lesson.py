"""What a page that teaches asks and answers: predict first, then look."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from app.components.address import choice
from app.components.reading import concept_links
from app.language import _, current_language
from content.concepts import load_concepts


def choose_part(parts: Mapping[str, tuple[str, Callable[..., None]]]) -> Callable[..., None]:
    """Pills for the parts of a page (name in the link: words to translate, what shows it); what shows the chosen."""
    words = {name: _(text) for name, (text, _show) in parts.items()}
    chosen = choice(st.pills, _("Part"), "part", words, required=True, label_visibility="collapsed", wrap=True)
    return parts[chosen][1]


def predict_first(key: str, question: str, options: Mapping[str, str], right: str, because: str) -> None:
    """A question to be answered before looking. `right` and `because` come from the figures now on the screen.

    The answer is the only choice that is not in the link: who gets the link shall think, too.
    """
    with st.container(border=True):
        st.markdown(f"**{_('Predict first')}** · {question}")
        chosen = st.radio(
            question, list(options), format_func=lambda value: options[value], index=None, key=f"predict-{key}",
            horizontal=True, label_visibility="collapsed",
        )  # fmt: skip
        if chosen == right:
            st.success(because, icon=":material/check:")
        elif chosen is not None:
            st.warning(_("Not so: {answer}. {because}").format(answer=options[right], because=because))


def concepts_here(slugs: Sequence[str]) -> None:
    """Links to the concepts that a page shows."""
    known = load_concepts()
    concept_links((slug, known[slug].name[current_language()]) for slug in slugs)
