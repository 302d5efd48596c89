# ---
# title: Head view and model view
# minutes: 60
# objectives:
#   - read the head view and the model view, and know what each hides (2.1, 2.6)
#   - recognise four kinds of heads by eye (2.1)
#   - write a measure for a kind of head, and search all heads with it (2.2, 2.3)
#   - test whether a head follows position or meaning (2.4)
#   - tell an encoder from a causal decoder by its picture, and know what that does to a measure (2.5)
# prerequisites: [01_attention_by_hand]
# roles: [minilm, shakespeare]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import torch

import course
from course import claim, exercise, measures

model = course.load("minilm", profile=PROFILE)
att = course.attend(model, "The cat sat on the mat")
course.model_view(att)

# %% [markdown]
# This is the whole model at one glance: a row for each layer, a column for each head, and in
# every small picture the tokens of "The cat sat on the mat" twice, queries on the left and keys
# on the right.
#
# **What to look at.** Click on a small picture to enlarge it; click again to close it. Without
# reading any words, you can see that heads differ in *shape*. How many shapes do you count?
#
# ## Four shapes
#
# A shape is easier to find when you have seen it alone. Here are four heads that no model has, made
# by hand, each of one pure shape:

# %%
n = len(att.tokens)
on = torch.eye(n)  # on[3] is a row with all of its weight on token 3
back = on[[0, *range(n - 1)]]
ahead = on[[*range(1, n), n - 1]]
first = on[[0] * n]
evenly = torch.ones(n, n) / n
four = torch.stack([back, ahead, first, evenly])[None]  # one layer of four heads
made_up = course.Attention(four, att.tokens, att.tokens, "self", "four made-up heads")
course.model_view(made_up)

# %% [markdown]
# **What to look at.** From left to right:
#
# - **previous**: parallel lines, one step up. Each token looks at the one before it. Only the first,
#   which has none, looks at itself.
# - **next**: parallel lines, one step down. Each token looks at the one after it, and the last at
#   itself.
# - **fan**: all lines close on one token, here on the first.
# - **web**: every token is joined with every token, and all lines are equally faint. The head averages.
#
# (Where the picture cannot be clicked, as in print, each head is a table instead, queries down and
# keys across: parallel lines are a diagonal there, a fan is a dark column, and a web is an even grey.)
#
# ### Exercise 2.1: name heads by eye
#
# Go back to the picture of the model. Its heads are mixtures, so go by their strongest lines. Find one
# head of each shape, as clear as you can, and enlarge it to be sure. Answer with `(layer, head)` for
# each. Some shapes are rarer than others: go through the picture row by row.

# %% exercise="2.1"
seen = {
    "previous": ...,
    "next": ...,
    "fan": ...,
    "web": ...,
}

# %%
with exercise("2.1", seen) as found:
    to_one = att.weights.mean(2).amax(-1)  # of each head, the share of the token that gets most
    shapes = {
        "previous": (measures.previous_token_share(att), 0.5, "its weight on the token before"),
        "next": (measures.next_token_share(att), 0.5, "its weight on the token after"),
        "fan": (to_one, 0.75, "its weight on one token"),
        "web": (measures.normalised_entropy(att), 0.85, "the spread of a pure web"),
    }
    for shape, (measure, enough, what) in shapes.items():
        place = tuple(torch.as_tensor(found[shape]).flatten().tolist())
        assert len(place) == 2, f"{shape}: answer with a pair, (layer, head)."
        assert 0 <= place[0] < att.layers and 0 <= place[1] < att.heads, (
            f"{shape}: rows are layers, 0 to {att.layers - 1}, and columns are heads, 0 to "
            f"{att.heads - 1}. The layer comes first."
        )
        assert measure[place] >= enough * measure.max(), (
            f"{shape}: this head has {measure[place]:.0%} of {what}, and the clearest one has "
            f"{measure.max():.0%}. Compare its strongest lines with the made-up head's."
        )

# %% [markdown]
# ## A closer look
#
# The head view shows one layer, and lets you choose heads by their colour: click on a square to
# switch a head off or on, double-click to see it alone. Here is the head with the largest weight on
# the token after. How far is it from the pure shape?

# %%
before = measures.previous_token_share(att)
after = measures.next_token_share(att)
up, down = (divmod(int(share.argmax()), att.heads) for share in (before, after))
course.head_view(att, layer=down[0], heads=[down[1]])

# %% [markdown]
# **What to look at.** In the shipped model the lines lean down, but they are fainter than the made-up
# head's, and some close on [CLS]: partly a next-token head, partly a fan. How faint is a line? An eye can
# hardly say. A number can, here for the two heads that have most on the token before and after:

# %%
print(f"layer {up[0]} head {up[1]}: {before[up]:.2f} on the token before")
print(f"layer {down[0]} head {down[1]}: {after[down]:.2f} on the token after")
on_first = att.weights[..., 0].mean(-1)
print(f"the same head: {on_first[down]:.2f} on the first token")
if PROFILE == "shipped":
    claim(
        "layer 0 head 2 puts nearly all of its attention on the token before",
        up == (0, 2) and before[up] > 0.99,
    )
    claim(
        "layer 1 head 8 puts more than half of its attention on the token after",
        down == (1, 8) and after[down] > 0.5,
    )
    claim("and more than a quarter on [CLS]", on_first[down] > 0.25)

# %% [markdown]
# Fans and webs have numbers, too. In a fan one token has a large share of all weight: but which
# token? In a web no token has. How evenly a row is spread is its [entropy](glossary.md#entropy), in
# nats: 0 when one token gets everything, and ln(8) ≈ 2.08 when eight tokens get the same.

# %%
largest, meeting_place = att.weights.mean(2).max(-1)
fans = meeting_place[largest > 0.7].tolist()
for place in sorted(set(fans)):
    print(f"fans that close on {att.tokens.texts[place]}: {fans.count(place)}")
spread = measures.entropy(att)
web = divmod(int(spread.argmax()), att.heads)
even = float(torch.tensor(float(n)).log())
print(
    f"the widest web: layer {web[0]} head {web[1]}, entropy {spread[web]:.2f} of at most {even:.2f} nats"
)
if PROFILE == "shipped":
    claim("more than ten heads are fans on [CLS]", fans.count(0) > 10)
    claim("one fan closes on a word that was typed", len(fans) == fans.count(0) + 1)
    claim("the widest web is within 15 % of an even spread", spread[web] > 0.85 * even)

# %%
course.head_view(att, layer=web[0], heads=[web[1]])

# %% [markdown]
# **What to look at.** Every token is connected with every other, a little, and no line is strong. A
# web is not "nothing": its output is nearly the average of all values, which is a way to pass on what
# the sentence is about.

# %% [markdown]
# ## From a shape to a measure
#
# "Parallel lines, one step down" is an impression. To search all heads, or 500 sentences, you need
# a number. A head's weights are a table, one row per query and one column per key. Where in this
# table does a next-token head keep its weights?
#
# ### Exercise 2.2: write the measure
#
# Write a function that takes one head's weights (queries × keys) and returns the mean weight on
# the token *after*, as a number from 0 to 1. The last token has no token after it: leave its row
# out. (`made_up.head(0, 1)` is the table of the pure next-token head, if you want to see one.)


# %% exercise="2.2"
def next_share(weights):
    return ...


# %%
with exercise("2.2", next_share) as answer:
    ahead = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    even = torch.full((4, 4), 0.25)
    got, flat = float(answer(ahead)), float(answer(even))
    assert got != 0, (
        "For a head that always looks ahead you get 0. Is it the other side of the diagonal?"
    )
    assert abs(got - 2 / 3) > 1e-6, (
        "You divided by all rows. The last token has nobody after it: leave it out."
    )
    assert abs(got - 2) > 1e-6, (
        "That is the sum. Take the mean over the tokens that have one after them."
    )
    assert abs(got - 1) < 1e-6, (
        f"For a head that always looks ahead you get {got:.2f}. It should be 1."
    )
    assert abs(flat - 0.25) < 1e-6, (
        f"For a head that spreads evenly over 4 tokens you get {flat:.2f}, not 0.25."
    )
    itself = float(answer(torch.eye(3)))
    assert abs(itself) < 1e-6, (
        f"For a head in which each token looks at itself you get {itself:.2f}, not 0. Where in a row "
        "is the token after?"
    )

# %% [markdown]
# ### Exercise 2.3: search
#
# Is there a head that looks *two* tokens back? One sentence proves little: with eight tokens, an
# even spread already puts 1/8 on every place. Take the four sentences below and find the head
# with the largest share two tokens back, *on average over all of them*.
# `measures.offset_share(att, -2)` gives a table layers × heads for one sentence.

# %%
sentences = [
    "The cat sat on the mat",
    "A dog slept under the old table",
    "She quickly closed the heavy door",
    "On Monday the river froze for the first time",
]

# %% exercise="2.3"
two_back = ...

# %%
with exercise("2.3", two_back) as found:
    place = tuple(torch.as_tensor(found).flatten().tolist())
    assert len(place) == 2, (
        f"Give a pair (layer, head). {att.heads} heads make a layer: divmod(number, {att.heads}) splits a number."
    )
    assert 0 <= place[0] < att.layers and 0 <= place[1] < att.heads, (
        f"There are layers 0 to {att.layers - 1} and heads 0 to {att.heads - 1}. The layer comes first."
    )
    read = [course.attend(model, text) for text in sentences]
    average, *others = (
        torch.stack([measures.offset_share(one, step) for one in read]).mean(0)
        for step in (-2, -1, 1)
    )
    more = int((average > average[place]).sum())
    assert more == 0 or all(share[place] < share.max() for share in others), (
        "This head looks most at another place. Did you take the share one token back, or ahead?"
    )
    assert more == 0, (
        f"On average over the four sentences, this head is number {more + 1} of {average.numel()}."
    )

# %% [markdown]
# ## Position or meaning?
#
# A head that looks at the token before could do so for two reasons. It could look for *grammar*:
# an article before its noun. Or it could look for the *place*, whatever stands there. The picture
# is the same. What experiment tells them apart?
#
# ### Exercise 2.4: explain it with a measurement
#
# Take the words of "The cat sat on the mat" in an order that is no English at all, and attend to
# that. Answer with the `Attention`. Before you run the check: will the head with the largest weight on
# the token before, layer 0 head 2 in the shipped model, still look one step back?

# %% exercise="2.4"
scrambled = ...

# %%
with exercise("2.4", scrambled) as other:
    assert isinstance(other, course.Attention), "Answer with what course.attend(model, …) returns."
    assert sorted(other.tokens) == sorted(att.tokens), (
        "Use the same six words, each as often as before."
    )
    assert tuple(other.tokens) != tuple(att.tokens), (
        "The words are still in the old order: change it."
    )
    moved = float(measures.previous_token_share(other)[up])
    print(f"it put {before[up]:.2f} on the token before, and puts {moved:.2f} there now")

# %%
backwards = course.attend(model, "mat the on sat cat The")
kept = measures.previous_token_share(backwards)[up]
print(f"backwards, the previous-token head puts {kept:.2f} on the token before")
if PROFILE == "shipped":
    claim("the previous-token head follows the place and not the grammar", kept > 0.9)

# %% [markdown]
# The shipped model's head does not mind. It found the place, not the grammar. Keep this in mind when a
# line in a picture joins "the" and "mat": a line shows *where* a head looks and not *why*.
#
# ## A model that cannot look ahead
#
# The model so far is an **[encoder](glossary.md#encoder)**: it reads the whole sentence at once. A
# model that *writes* predicts each next token from those before it, so it must not see what comes
# after. It is called a **[causal](glossary.md#causal) [decoder](glossary.md#decoder)**. Here is
# one, on the same sentence. What will be missing in its pictures?

# %%
writer = course.load("shakespeare", profile=PROFILE)
written = course.attend(writer, "The cat sat on the mat")
course.model_view(written)

# %% [markdown]
# **What to look at.** No line goes down, in any head: no token looks at one that comes after it. In
# a table of weights this is everything above the diagonal. And in the shipped model many heads are fans
# again, on the *first* token: it is the only one that all the others can see, and there is no [CLS] to
# rest on.

# %%
ahead = float(written.weights.triu(1).max())
resting = written.weights[..., 0].mean(-1)
print(f"the largest weight on a later token: {ahead:.1f}")
print(f"heads with over half of their attention on the first token: {int((resting > 0.5).sum())}")
claim("nothing is on a later token", ahead == 0)
if PROFILE == "shipped":
    claim(
        "more than half of the heads rest on the first token", (resting > 0.5).float().mean() > 0.5
    )

# %% [markdown]
# Now to the measures. Is there a [previous-token head](glossary.md#previous-token-head) here, too?
# Look at two heads of one layer:

# %%
shares = measures.previous_token_share(written)
best = divmod(int(shares.argmax()), written.heads)
other = (best[0], 0 if best[1] else 1)
for head in (best, other):
    print(f"layer {head[0]} head {head[1]}: {shares[head]:.2f} on the token before")
if PROFILE == "shipped":
    claim("one head puts nearly everything on the token before", shares[best] > 0.99)
    claim("the other puts 0.15 to 0.3 there", 0.15 < shares[other] < 0.3)

# %% [markdown]
# In the shipped model one is clearly a previous-token head. Is the other a little bit of one? With eight
# tokens, an even spread in an encoder puts 1/8 on every place. But in a decoder the second token can
# choose between two places only, the third between three, and so on.
#
# ### Exercise 2.5: what would an even spread give?
#
# Write a function that takes the number of tokens and returns how much a head of a *causal* model
# puts on the token *before*, if every token spreads its attention evenly over all that it may look
# at (itself included). As in 2.2, take the mean over the tokens that have one before them.


# %% exercise="2.5"
def even_previous(n):
    return ...


# %%
with exercise("2.5", even_previous) as answer:
    two, four = float(answer(2)), float(answer(4))
    assert abs(four - 1 / 4) > 1e-6, (
        "That is an encoder's: there all four places are free. Here the second token has only two."
    )
    assert abs(four - 13 / 48) > 1e-6, (
        "You divided by all tokens. The first has nobody before it: leave it out."
    )
    assert abs(two - 1) > 1e-6, (
        "A token may look at itself, too: of two tokens, the second has two places."
    )
    assert abs(two - 1 / 2) < 1e-6, (
        f"Of two tokens the second puts 1/2 on the first, not {two:.2f}."
    )
    by_hand = torch.ones(4, 4).tril()
    by_hand /= by_hand.sum(-1, keepdim=True)
    assert abs(four - float(by_hand.diagonal(-1).mean())) < 1e-6, (
        f"For four tokens you get {four:.3f}. Write the table down: row i has i + 1 equal weights."
    )

# %%
causal = torch.ones(len(written.tokens), len(written.tokens)).tril()
causal /= causal.sum(-1, keepdim=True)
by_chance = float(causal.diagonal(-1).mean())
print(f"an even spread over {len(written.tokens)} tokens: {by_chance:.2f} on the token before")
if PROFILE == "shipped":
    claim("the other head is within 0.1 of an even spread", abs(shares[other] - by_chance) < 0.1)

# %% [markdown]
# So the shipped model's other head is no previous-token head at all. The same number can be a finding in one model
# and nothing in another: before you call a share large, ask what an even spread would give.
#
# ## What each view hides
#
# - The **model view** shows all heads, too small to read a word in. Use it to see shapes, then go
#   to the head view.
# - The **head view** shows one layer. With all heads on, colours mix and a line's strength is
#   divided by the number of heads: switch all but a few off.
# - **Both** draw [CLS] and [SEP] like any other token, although they may hold most of the weight.
#   How much is that here?

# %%
words = att.without_special()
print(words)
course.model_view(words, layers=[0, 1, 2])

# %% [markdown]
# **What to look at.** The fans of the shipped model have opened. A head that rested on a special token
# now shows what it does with the little that is left, drawn as if it were everything: each row was made
# to sum to 1 again. The text above the picture tells you how much was taken away. A picture that does
# not tell you would mislead.
#
# ### Exercise 2.6: your own sentence
#
# Try a sentence of your own, with something in it that you are curious about: a name, a typing
# error, a question. This one cannot be wrong. Look at it in both views.

# %% exercise="2.6" open=true
mine = ...

# %%
with exercise("2.6", mine) as own:
    assert isinstance(own, course.Attention), "Answer with what course.attend(model, …) returns."
    print(own)

# %% [markdown]
# ## What you have seen
#
# - Heads have shapes: previous token, next token, fan, web. Each shape is a measure.
# - A measure searches all heads and many sentences; an eye does not.
# - Scrambling the words told place from grammar. A picture could not.
# - A causal decoder has nothing above the diagonal, and early tokens have few places to look at: a
#   share means something only beside what an even spread would give.
#
# **Read next.** Vig 2019, *A Multiscale Visualization of Attention in the Transformer Model*
# (arXiv 1906.05714), on the views. Clark, Khandelwal, Levy and Manning 2019, *What Does BERT Look
# At?* (arXiv 1906.04341), on the kinds of heads.
