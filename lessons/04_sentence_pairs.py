# ---
# title: Sentence pairs
# minutes: 60
# objectives:
#   - read attention from one sentence to another (4.1, 4.5)
#   - turn "we can see more connections" into a number and a test (4.1, 4.2)
#   - find the confound that makes the test misleading, and hold it fixed (4.3, 4.4)
# prerequisites: [02_head_and_model_view]
# roles: [minilm]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import re

import numpy as np
import torch

import course
from course import claim, exercise, measures

model = course.load("minilm", profile=PROFILE)
different = (
    "The identical rovers will act as robotic geologists , searching for evidence of past water .",
    "The rovers act as robotic geologists , moving on six wheels .",
)
att = course.attend(model, *different)
layer, head = divmod(int(measures.same_word_share(att).argmax()), att.heads)
course.head_view(att, layer=layer, heads=[head], show="A→B")

# %% [markdown]
# Two sentences go into the model as one input, with [[SEP]](glossary.md#cls-and-sep) between them.
# They come from the Microsoft Research Paraphrase Corpus, or MRPC, a collection of sentence pairs that
# people have judged (Dolan and Brockett 2005): do both say the same? Here the answer was no.
#
# **What to look at.** The lines run from the words of the first sentence, on the left, to those of
# the second, on the right. (*All* in the menu brings back the rest.) Which words find each other, and
# which find nobody?


# %%
def links(one):
    """For each token of the first sentence: what it looks at most in the second, and the weight."""
    second = list(one.tokens.in_segment(1))
    found = []
    for i in one.tokens.in_segment(0):
        across = one.head(layer, head)[i, second]
        best = second[int(across.argmax())]
        found.append((one.tokens.texts[i], one.tokens.texts[best], float(across.max())))
    return found


found = links(att)
print(", ".join(f"{one} → {other} {weight:.2f}" for one, other, weight in found if weight > 0.3))
if PROFILE == "shipped":
    there = {att.tokens.texts[i] for i in att.tokens.in_segment(1)}
    alone = [weight for one, _, weight in found if one not in there]
    strong = [(one, other) for one, other, weight in found if weight > 0.5]
    claim("this is layer 2, head 9", (layer, head) == (2, 9))
    claim("over 0.5 go from a token to the same token", all(one == other for one, other in strong))
    claim("tokens that only the first sentence has put less than 0.05 on any", max(alone) < 0.05)

# %% [markdown]
# In the shipped model this head joins words that occur in *both* sentences: of all heads, it looks most
# from a word to the same word on the other side, which is how it was found. Here is the same head on a
# pair that was judged to say the same. Do you expect more lines, or fewer?

# %%
same = (
    "The 2002 second quarter results don 't include figures from our friends at Compaq .",
    "The year-ago numbers do not include figures from Compaq Computer .",
)
att_same = course.attend(model, *same)
course.head_view(att_same, layer=layer, heads=[head], show="A→B")

# %%
strong_lines = [sum(weight > 0.5 for *_, weight in links(one)) for one in (att, att_same)]
print(f"lines over 0.5: different meaning {strong_lines[0]}, same meaning {strong_lines[1]}")
if PROFILE == "shipped":
    claim("the second pair has twice as many strong lines", strong_lines == [3, 6])

# %% [markdown]
# **What to look at.** In the shipped model the second picture has more strong lines. It is tempting to
# write: "sentences with the same meaning have more connections". Two pictures suggest it. What would
# show it?
#
# ## From an impression to a number
#
# "More connections" needs a definition. Here is one: how much of their
# [attention](glossary.md#attention) do the words of one sentence put on the words of the other?
#
# ### Exercise 4.1: write the measure
#
# Write a function that takes one head's weights (queries × keys), the positions of the first
# sentence and those of the second, and returns how much of its attention a word of the *first*
# sentence puts on the *second* in all, as a mean over the words of the first sentence.


# %% exercise="4.1"
def share_across(weights, first, second):
    return ...


# %%
with exercise("4.1", share_across) as answer:
    table = torch.zeros(5, 5)
    table[0], table[1] = torch.tensor([[0.5, 0.1, 0.2, 0.1, 0.1], [0.0, 0.0, 0.5, 0.25, 0.25]])
    table[2:, 0], table[2:, 4] = 0.6, 0.4
    got = float(answer(table, [0, 1], [2, 3, 4]))
    assert abs(got - 1.4 / 6) > 1e-6, (
        "You averaged over the second sentence as well. Add up what each word puts there."
    )
    assert abs(got - 0.6) > 1e-6, (
        "That is from the second sentence to the first. Rows are the words that look."
    )
    assert abs(got - 1.4) > 1e-6, (
        "That is the sum over the first sentence's words. Take their mean."
    )
    assert abs(got - 0.7) < 1e-6, (
        f"The first word puts 0.4 there and the second 1.0: 0.7 on average, not {got:.2f}."
    )

# %% [markdown]
# `measures.cross_sentence_share(att)` does this for all heads and both directions, and leaves
# [CLS] and [SEP] out on both sides. For the two pairs above, the head of the first picture gives:

# %%
two = [float(measures.cross_sentence_share(one)[layer, head]) for one in (att, att_same)]
print(f"different meaning: {two[0]:.2f}\nsame meaning: {two[1]:.2f}")
if PROFILE == "shipped":
    claim("the two are within 0.01 of each other", abs(two[0] - two[1]) < 0.01)

# %% [markdown]
# In the shipped model both give the same: the eye counted the strong lines of the second picture, and not
# the many pale ones of the first. But one pair of each kind settles nothing either way.
#
# ## Eighty pairs
#
# The course has 80 pairs of its own, half of them with the same meaning. Look at a few before you
# let numbers stand for them:

# %%
pairs = course.sentence_pairs()
for pair in (pairs[0], pairs[30], pairs[45], pairs[70]):
    print(f"{'same' if pair.equivalent else 'different'}\n  {pair.first}\n  {pair.second}")

# %%
shares = torch.stack(
    [measures.cross_sentence_share(course.attend(model, p.first, p.second)) for p in pairs]
)
value = shares[:, layer, head].double().numpy()
means_same = np.array([pair.equivalent for pair in pairs])
gap = value[means_same].mean() - value[~means_same].mean()
print(
    f"head ({layer}, {head}): same {value[means_same].mean():.3f}, different {value[~means_same].mean():.3f}"
)
if PROFILE == "shipped":
    claim("pairs of the same meaning get more attention across, by over 0.05", gap > 0.05)

# %% [markdown]
# For the shipped model there is a difference. Could it be luck?
#
# ### Exercise 4.2: a permutation test
#
# If meaning had nothing to do with it, the labels "same" and "different" might as well have been
# dealt out at random. So deal them out at random many times, and see how often the gap gets as
# large as the real one, in either direction. The gap is the difference of the two means, as above.
#
# Write a function that takes the values and the labels (True for "same") and returns the share of
# dealings whose gap is at least as large as the real one. Count the real labelling as one of the
# dealings: a [p-value](glossary.md#p-value) is never 0. Use `rng.permutation(labels)` to deal.


# %% exercise="4.2"
def permutation_p(values, labels, rounds=2000, seed=0):
    rng = np.random.default_rng(seed)
    return ...


# %%
with exercise("4.2", permutation_p) as answer:
    labels = np.arange(40) % 2 == 0
    clear, noise = labels * 1.0, np.random.default_rng(1).random(40)
    far, near, below = answer(clear, labels), answer(noise, labels), answer(-clear, labels)
    assert far > 0, (
        "A p-value of 0 claims certainty. Count the real labelling too: (count + 1) / (rounds + 1)."
    )
    assert far < 0.5, (
        f"Two groups that differ in every value get p = {far:.2f}. Do you deal the labels out anew each time?"
    )
    assert below < 0.5, (
        "A gap in the other direction goes unnoticed. Compare absolute values of the gaps."
    )
    assert far < 0.01 and near > 0.05, (
        f"Clear groups get p = {far:.3f} and pure noise {near:.3f}: they should be far apart."
    )
    print(f"for our head you get p = {float(answer(value, means_same)):.4f}")

# %% [markdown]
# SciPy has such a [test](glossary.md#permutation-test). For our head it says:

# %%
from scipy import stats


def gap_p(values, labels, rounds=9999):
    def gap_of(x, y, axis):
        return x.mean(axis=axis) - y.mean(axis=axis)

    test = stats.permutation_test(
        (values[labels], values[~labels]), gap_of, n_resamples=rounds, vectorized=True, rng=0
    )
    return test.pvalue


p_all = gap_p(value, means_same)
print(f"all 80 pairs: gap {gap:.3f}, p = {p_all:.4f}")
if PROFILE == "shipped":
    claim("over all pairs the gap is unlikely to be luck: p < 0.05", p_all < 0.05)

# %% [markdown]
# With numbers like those of the shipped model, many reports would stop here: "equivalent sentences have
# more connections, p < 0.05". (The 1,725 test pairs of MRPC, which do not come with this course, say so
# too: there the shipped model's head gives 0.41 against 0.35.) What else, besides meaning, differs
# between the two groups?
#
# ## The confound
#
# Remember what the head does: it joins words that occur in both sentences.
#
# ### Exercise 4.3: word overlap
#
# Write a function that measures how many words two sentences share: the number of different words
# in both, divided by the number of different words in either. Upper and lower case are the same
# word. `re.findall(r"[a-z0-9]+", text)` finds the words of a lower-case text.


# %% exercise="4.3"
def word_overlap(first, second):
    return ...


# %%
with exercise("4.3", word_overlap) as answer:
    assert answer("A b", "c d") == 0, "Two sentences without a common word have an overlap of 0."
    assert answer("a b", "b a") == 1, (
        "Two sentences of the same words have an overlap of 1. Words that are in both count once."
    )
    assert answer("The cat", "the cat") == 1, (
        "Capitals make a difference in your count. Lower-case both sentences."
    )
    assert answer("a a a b", "b") != 0.25, (
        "You counted a word as often as it occurs. Count different words."
    )
    assert answer("a", "a b c d") == answer("a b c d", "a"), (
        "Swapping the sentences changes your number. Divide by the words in either."
    )
    assert answer("A cat.", "a cat") == 1, (
        "The full stop is no part of a word. Find the words with re.findall."
    )
    assert answer("a b c", "b c d") == 0.5, "a b c and b c d share 2 of 4 different words: 0.5."

# %%
overlap = np.array([pair.overlap for pair in pairs])  # the measure that you have just written
together = np.corrcoef(overlap, value)[0, 1]
print(
    f"overlap: same {overlap[means_same].mean():.2f}, different {overlap[~means_same].mean():.2f}"
)
print(f"correlation of the head's share with overlap: {together:.2f}")
claim(
    "pairs of the same meaning share more words",
    overlap[means_same].mean() > overlap[~means_same].mean() + 0.05,
)
if PROFILE == "shipped":
    claim("the head's share follows word overlap closely: correlation over 0.9", together > 0.9)

# %% [markdown]
# Pairs that say the same *also* share more words, and the shipped model's head follows shared words. (In
# MRPC the overlap is 0.57 against 0.42.) So the gap might say nothing about meaning. This is a
# **[confound](glossary.md#confound)**: something that goes along with what you study and could
# explain the result alone. How do you find out which it is?
#
# ### Exercise 4.4: hold it fixed
#
# Choose pairs such that overlap cannot explain a gap: same-meaning and different-meaning pairs
# whose overlap is about equal (means within 0.05), at least 15 of each. Answer with an array of
# 80 truth values, True for the pairs that you keep: `overlap > 0.9` makes one. Will the gap be smaller?

# %% exercise="4.4"
keep = ...

# %%
with exercise("4.4", keep) as kept:
    kept = np.asarray(kept)
    assert kept.dtype == bool and kept.shape == (80,), (
        "Answer with 80 truth values, such as overlap > 0.9."
    )
    sizes = (kept & means_same).sum(), (kept & ~means_same).sum()
    assert min(sizes) >= 15, (
        f"You keep {sizes[0]} pairs of the same and {sizes[1]} of different meaning: too few of one."
    )
    apart = overlap[kept & means_same].mean() - overlap[kept & ~means_same].mean()
    assert abs(apart) < 0.05, (
        f"Overlap still differs by {apart:+.2f} between the groups. Print np.sort(overlap[means_same]) and "
        "np.sort(overlap[~means_same]): where do both have many pairs?"
    )
    left = value[kept & means_same].mean() - value[kept & ~means_same].mean()
    print(f"gap with overlap held fixed: {left:+.3f} instead of {gap:+.3f}")

# %% [markdown]
# ## What is left
#
# Here are the two halves of the collection: pairs that share at least half of their words, and
# pairs that share few. Inside each, the two groups have about the same overlap. Which half would you
# expect to show a difference?

# %%
halves = {"many shared words": overlap >= 0.5, "few shared words": overlap < 0.5}
results = {}
for name, half in halves.items():
    x, y = value[half & means_same], value[half & ~means_same]
    results[name] = (x.mean() - y.mean(), gap_p(value[half], means_same[half]))
    print(f"{name}: same {x.mean():.3f}, different {y.mean():.3f}, p = {results[name][1]:.4f}")
    apart = overlap[half & means_same].mean() - overlap[half & ~means_same].mean()
    claim(f"{name}: the overlap of the two groups is within 0.05", abs(apart) < 0.05)
if PROFILE == "shipped":
    many, few = results["many shared words"], results["few shared words"]
    claim("among pairs with many shared words nothing is left of the gap", abs(many[0]) < 0.03)
    claim("it is no larger than luck would make it", many[1] > 0.2)
    claim("among pairs with few shared words a gap stays", few[0] > 0.03 and few[1] < 0.01)

# %% [markdown]
# So, for the shipped model, the honest sentence is longer than the first one. *Where two sentences share
# most of their words, this head cannot tell whether they mean the same. Where they share few, it puts
# more attention across when they do.*
#
# One doubt remains. We chose this head, from all heads, after a look at one pair. Try enough heads, and
# some will have p < 0.05 by luck: one in twenty. How many have it in each half?

# %%
counts = {}
for name, half in halves.items():
    p_values = gap_p(shares.double().numpy()[half], means_same[half], rounds=999)
    counts[name] = int((p_values < 0.05).sum())
    print(f"{name}: {counts[name]} of {p_values.size} heads have p < 0.05")
by_luck = 0.05 * p_values.size
print(f"luck alone would give about {by_luck:.0f}")
if PROFILE == "shipped":
    claim("with many shared words no more than luck gives", counts["many shared words"] <= by_luck)
    claim("with few over five times as many", counts["few shared words"] > 5 * by_luck)

# %% [markdown]
# **What to look at.** A small p for one head of many is weak evidence: fix the head before you look, or
# count, as here, how many heads luck would give. In the shipped model luck explains the first half and
# not the second. Is it meaning, then? Or do these pairs differ in something else that nobody has held
# fixed? That question never ends, but now you know how to ask it.
#
# ### Exercise 4.5: your own pair
#
# Write a pair that shares nearly all words and means something else, or one that shares no word
# and means the same. Answer with the `Attention` and see what the head of the first picture makes of
# it. This one cannot be wrong.

# %% exercise="4.5" open=true
my_pair = ...

# %%
with exercise("4.5", my_pair) as own:
    assert isinstance(own, course.Attention) and own.tokens.is_pair, (
        "Answer with course.attend(model, first, second)."
    )
    print(f"head ({layer}, {head}): {measures.cross_sentence_share(own)[layer, head]:.2f}")

# %% [markdown]
# ## What you have seen
#
# - Attention from sentence to sentence is a block of the table, and a number per head.
# - "We can see" became a measure, then a test, then a confound, then a smaller and truer
#   statement.
# - The shipped model's head that seemed to know about meaning mostly follows shared words.
#
# **Read next.** Dolan and Brockett 2005, *Automatically Constructing a Corpus of Sentential
# Paraphrases* (ACL Anthology I05-5002), on MRPC. McCoy, Pavlick and Linzen 2019, *Right for the Wrong
# Reasons* (arXiv 1902.01007), on models that took shared words for the same meaning.
