"""Playground: classic models and a deep network on the same points in the plane, and where they draw the line."""

from app.components.code import show_code
from app.components.lesson import concepts_here
from app.components.page import page_header
from app.components.playground import laboratory
from app.language import _

TITLE = "Playground"
ICON = ":material/scatter_plot:"
ORDER = 50

page_header(
    _("Playground"),
    _(
        "What is the difference between machine learning and deep learning? Let both tell the same points apart, "
        "and look. Coloured points are learnt from; white ones with a coloured edge are kept for the test."
    ),
)
laboratory()
concepts_here(
    [
        "machine-learning", "deep-learning", "decision-tree", "support-vector-machine", "neural-network",
        "activation-function", "overfitting", "weight-decay", "data-split", "representation-learning",
    ]
)  # fmt: skip
show_code(
    "core.maths.playground:new_layers", "core.maths.playground:network", "core.maths.playground:train_network",
    "core.maths.playground:linear_features", "core.maths.playground:classic", "core.maths.playground:fit",
    "core.maths.plane:make_points",
)  # fmt: skip
