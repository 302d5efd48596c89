"""neuron_view(): from a model and a text, or from an attention that is there already, to the picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from course.attending import attend
from course.attention import Attention, EncoderDecoderAttention
from course.views import View, ViewError
from course.views.neurons import neuron_view as draw

if TYPE_CHECKING:
    from course.models import Model


def neuron_view(
    source: Model | Attention | EncoderDecoderAttention,
    text: str | None = None,
    pair: str | None = None,
    *,
    layer: int = 0,
    head: int = 0,
    query: int | str | None = None,
    tokens: Iterable[int] | None = None,
    show: str | None = None,
    theme: str = "auto",
    truncate: bool = False,
) -> View:
    """How one head makes its attention: a query, the keys, their products, scores, and softmax.

    ``source`` is a model, to be run on ``text`` (and ``pair``: a second sentence, or the translation), or what
    `attend` returned. ``layer`` and ``head`` are shown at first; the page has the others, too, where there is room.
    ``query`` is the token to begin with, its text or position; if left out, the one with the strongest link.
    ``tokens`` are positions of those to show where all would be too many, such as the patches of an image; their
    weights stay those among all. ``show`` says what is seen first of a pair ("all", "A→A", "B→B", "A→B", "B→A") or of
    an encoder–decoder ("encoder", "decoder", "cross"). ``theme`` is "auto" (the reader's system), "light" or "dark".

    Before anything is drawn, softmax(q·k/√size) is compared with the model's own attention.

    Raises what `attend` raises; ViewError where queries and keys are missing or do not make this attention, and
    where there are too many tokens; AttentionError for a layer or head that there is not.

    >>> import course
    >>> view = course.neuron_view(course.load("minilm"), "The cat sat on the mat", layer=0, head=2, query="cat")
    >>> print(view.summary.splitlines()[1])
    Shown: layer 0, head 2, query cat (token 2). A score is q·k/√32; softmax makes the scores of all keys into weights.
    """
    if isinstance(source, (Attention, EncoderDecoderAttention)):
        if text is not None or pair is not None or truncate:
            raise ViewError("an attention has its text already: leave out text, pair and truncate, or give the model")
        att = source
    elif text is None:
        raise ViewError(
            f"neuron_view takes a model and a text, or what course.attend returned, not {type(source).__name__} alone"
        )
    else:
        att = attend(source, text, pair, truncate=truncate)
    return draw(att, layer=layer, head=head, query=query, tokens=tokens, show=show, theme=theme)
