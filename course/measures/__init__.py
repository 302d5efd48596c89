"""Numbers of attention: what each head does, how heads differ, and what passes through all layers.

Most take an `Attention` and give one number a head, layers x heads. Which to use when:

- Where does a head look? `previous_token_share`, `next_token_share`, `same_token_share`, `offset_share`,
  `share_on` with positions (`punctuation` finds those), `mean_distance`; between two sentences
  `cross_sentence_share` and `same_word_share`.
- How surely? `entropy`, `normalised_entropy`, `confidence`.
- Which heads do the same? `head_distances`.
- What reaches a token through all layers? `rollout`, `flow`.
- Which word is the translation of which? `align`.
- The numbers of Clark et al. 2019, by their own rules: `clark`.

They measure where attention goes, and not whether it matters for the answer. `course.profile` measures a corpus.
"""

from course.measures.agreement import head_distances
from course.measures.alignment import Alignment, Link, align, looked_at
from course.measures.clark_2019 import clark
from course.measures.paths import flow, rollout
from course.measures.shares import (
    cross_sentence_share,
    mean_distance,
    next_token_share,
    offset_share,
    previous_token_share,
    punctuation,
    same_token_share,
    same_word_share,
    share_on,
)
from course.measures.spread import confidence, entropy, normalised_entropy

__all__ = [
    "Alignment",
    "Link",
    "align",
    "clark",
    "confidence",
    "cross_sentence_share",
    "entropy",
    "flow",
    "head_distances",
    "looked_at",
    "mean_distance",
    "next_token_share",
    "normalised_entropy",
    "offset_share",
    "previous_token_share",
    "punctuation",
    "rollout",
    "same_token_share",
    "same_word_share",
    "share_on",
]
