"""Has transformers make its table of renamed weights: a fifth of a second that the first model loaded would take."""

from transformers.conversion_mapping import get_checkpoint_conversion_mapping

get_checkpoint_conversion_mapping("")
