"""Downstream adaptation: every route to one new task, in one table."""


from app.components.adapting import show_adaptation
from app.components.code import show_code
from app.components.lesson import concepts_here
from app.components.life_page import about, beside, choose_life
from app.components.page import page_header, user_errors
from app.language import _

TITLE = "Downstream adaptation"
ICON = ":material/alt_route:"
ORDER = 40


def lab() -> None:
    run = choose_life()
    if run is not None:
        beside(run, ["adaptation"], _("Adapt again"), "adaptation", show_adaptation)


page_header(
    _("Downstream adaptation"),
    _("One new task, five ways to it: two prompts, three trainings. What does each reach, what does it cost, and what "
      "is lost on the way?"),
)  # fmt: skip
with user_errors():
    lab()
about(["downstream-adaptation"])
concepts_here(["transfer-learning", "prompting", "fine-tuning", "lora", "catastrophic-forgetting"])
show_code("core.language.nodes:adaptation", "core.language.continual:replayed")
