"""image_view: what the patches of an image count for, or what is looked at, over the image."""

from __future__ import annotations

from collections.abc import Sequence

from course.attention import Attention
from course.attributions.attribution import Attribution
from course.views.image_heats import first_of, heading, heats_of
from course.views.image_page import image_page
from course.views.image_twin import image_twin
from course.views.image_words import image_words, picture_notes, pictured, special_words
from course.views.view import View

Record = Attribution | Attention


def image_view(
    record: Record | Sequence[Record],
    *,
    layer: int | None = None,
    head: int | None = None,
    query: str | None = None,
    theme: str = "auto",
) -> View:
    """An image under the heat of its patches, and the image as the model reads it beside it.

    ``record`` is what `course.attribute` gives for an image: orange where a patch raised the number, blue where it
    lowered it. Or an attention, from `course.attend` or `course.measures.rollout`: the weights of the token ``query``
    ("[CLS]" if left out, or a patch such as "r2c5"); ``layer`` and ``head`` say what is seen first (the last layer
    and the mean over its heads, if left out), and the page has all. Or a list of records of one image, to be
    compared: the page shows one at a time.

    Each map has a scale of its own, with its numbers, from minus to plus the largest value of a patch. Special tokens
    are nowhere in the image; what they have is said in words. In the page the heat can be switched off.

    Raises ViewError for records of texts or of different images, for a query that there is not, and where the output
    would be too large; AttentionError for a layer or head that there is not.
    """
    records = list(record) if isinstance(record, (list, tuple)) else [record]
    heats = heats_of(records, query)
    first = first_of(heats, records, layer, head)
    title = heading(heats, records)
    alt, summary = image_words(heats[first], heats, title)
    page, height, fluid_height = image_page(title, heats, first, theme=theme)
    notes = [*special_words(heats[first]), *heats[first].notes, *picture_notes(heats[first])]
    twin = image_twin(title, f"The picture {pictured(heats[first])}", notes, heats[first])
    too_large = "give fewer records, or course.measures.rollout(attention), which has one map a layer"
    return View(title, page, twin, alt, summary, height, fluid_height, theme, too_large=too_large)
