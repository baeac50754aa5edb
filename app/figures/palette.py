"""The colours of figures: Okabe and Ito's, told apart by every kind of colour vision."""

BLUE, RED, GREEN, PINK, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
COLOURS = (BLUE, RED, GREEN, PINK, ORANGE, SKY)  # one after the other where there are many
GREY = "#808080"  # to be read on white and on black


def translucent(colour: str, alpha: float) -> str:
    """The same colour, of which `alpha` covers what lies below."""
    red, green, blue = bytes.fromhex(colour[1:])
    return f"rgba({red},{green},{blue},{alpha})"
