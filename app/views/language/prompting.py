"""Prompting: no weight changes, the examples in the prompt do the work."""

from app.components import prompting as parts
from app.components.code import show_code
from app.components.lesson import choose_part, concepts_here
from app.components.life_page import about, again, choose_life, show_live, told
from app.components.page import page_header, user_errors
from app.language import _, mark
from core.runs.store import Run

TITLE = "Prompting"
ICON = ":material/chat:"
ORDER = 30


def more_examples(run: Run) -> None:
    again(run, ["zero-shot", "few-shot"], _("Measure again"), "prompting")
    show_live(run, parts.show_shots)


def the_twin(run: Run) -> None:
    parts.with_another(run, told(run))


PARTS = {
    "ask": (mark("Ask it"), parts.editor),
    "shots": (mark("More examples"), more_examples),
    "twin": (mark("With and without smeared keys"), the_twin),
}


def lab() -> None:
    run = choose_life()
    if run is not None:
        choose_part(PARTS)(run)


page_header(
    _("Prompting"),
    _("Tell the model what you want, by a task word or by examples, and change nothing in it. How many examples does "
      "it need, and what if the pairs are new to it?"),
)  # fmt: skip
with user_errors():
    lab()
about(["prompting", "zero-shot-learning", "few-shot-learning"])
concepts_here(["prompting", "zero-shot-learning", "few-shot-learning", "attention", "large-language-model"])
show_code("core.language.skills:few_shot", "core.language.world:prompts", "core.language.model:Attention")
