"""matplotlib's figures as PNG. Nothing here imports matplotlib: without it there are no figures."""

import base64
import io
import sys

PNG = "image/png"

# The last figure that was shown without being asked for: a later %matplot plt still means it.
_shown = None


def draw(value):
    """PNG, in base64, of a figure, of what belongs to one (axes), or of pyplot's current figure."""
    figure = _figure_of(value)
    image = _png(figure)
    pyplot = _pyplot()
    if pyplot is not None:
        pyplot.close(figure)  # shown already
    return image


def take_open():
    """PNG, in base64, of the last of pyplot's open figures, or None. Closes them all."""
    global _shown
    pyplot = _pyplot()
    if pyplot is None or not pyplot.get_fignums():
        return None
    try:
        _shown = pyplot.gcf()
        return _png(_shown)
    finally:
        pyplot.close("all")


def drop_open():
    """Closes the figures of a statement that failed, so that the next one does not show them."""
    global _shown
    pyplot = _pyplot()
    if pyplot is not None and pyplot.get_fignums():
        _shown = pyplot.gcf()
        pyplot.close("all")


def _pyplot():
    return sys.modules.get("matplotlib.pyplot")


def _figure_of(value):
    if hasattr(value, "gcf") and hasattr(value, "get_fignums"):
        return value.gcf() if value.get_fignums() or _shown is None else _shown
    if hasattr(value, "savefig"):
        return value
    figure = getattr(value, "figure", None)
    if hasattr(figure, "savefig"):
        return figure
    raise TypeError(
        "%%matplot needs a figure or matplotlib.pyplot, not '%s'" % type(value).__name__
    )


def _png(figure):
    image = io.BytesIO()
    figure.savefig(image, format="png")
    return base64.b64encode(image.getvalue()).decode("ascii")
