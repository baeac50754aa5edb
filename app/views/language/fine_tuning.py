"""Fine-tuning: the same model taught a new task, with all of its weights or with a few new ones."""

from app.components import tuning
from app.components.code import show_code
from app.components.lesson import choose_part, concepts_here
from app.components.life_page import about, beside, choose_life
from app.components.page import page_header, user_errors
from app.language import _, mark
from core.runs.store import Run

TITLE = "Fine-tuning"
ICON = ":material/tune:"
ORDER = 20


def full(run: Run) -> None:
    beside(run, ["full-fine-tuning"], _("Fine-tune again"), "full", tuning.show_full)


def lora(run: Run) -> None:
    beside(run, ["lora"], _("Fine-tune again"), "lora", tuning.show_lora)


def both(run: Run) -> None:
    beside(run, ["full-fine-tuning", "lora"], _("Fine-tune again"), "both", tuning.show_both)


PARTS = {
    "full": (mark("Full fine-tuning"), full),
    "lora": (mark("LoRA"), lora),
    "both": (mark("Side by side"), both),
}


def lab() -> None:
    run = choose_life()
    if run is not None:
        choose_part(PARTS)(run)


page_header(
    _("Fine-tuning"),
    _("Teach your model a new task. See the new skill rise and the old ones fall, step by step; then freeze its "
      "weights and train only a small change beside them."),
)  # fmt: skip
with user_errors():
    lab()
about(["fine-tuning", "full-fine-tuning", "parameter-efficient-fine-tuning"])
concepts_here(["fine-tuning", "full-fine-tuning", "parameter-efficient-fine-tuning", "lora",
               "catastrophic-forgetting", "transfer-learning"])  # fmt: skip
show_code("core.language.lora:LowRank", "core.language.lora:add_lora", "core.language.nodes:full_fine_tuning",
          "core.language.nodes:lora")  # fmt: skip
