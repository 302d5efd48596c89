# ---
# title: Neuron view
# minutes: 50
# objectives:
#   - read the neuron view, and follow one query and one key to one weight (3.1, 3.6)
#   - turn the difference of two scores into the ratio of two weights (3.1)
#   - test which neurons make a weight, and which only look as if they did (3.2, 3.3, 3.4)
#   - say why scores are divided by √d, and how a head can undo it (3.5)
# prerequisites: [01_attention_by_hand, 02_head_and_model_view]
# roles: [minilm]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import torch

import course
from course import claim, exercise, measures

model = course.load("minilm", profile=PROFILE, device="cpu")
att = course.attend(model, "The cat sat on the mat", "The cat lay on the rug")
matching = measures.same_word_share(att)
layer, head = divmod(int(matching.argmax()), att.heads)
cat, other = att.tokens.positions("cat")
course.neuron_view(att, layer=layer, head=head, query=cat)

# %% [markdown]
# Two sentences went in as a pair. Of all heads, this is the one that looks most from a word to the
# same word in the other sentence. The picture shows how it does that for one token: the "cat" of
# the first sentence.
#
# **What to look at.** Read from left to right; each row on the right belongs to one key.
#
# - *[Query](glossary.md#key-query-value) q*: the vector of "cat", one coloured cell for each
#   number. Blue is positive, orange is negative, and the stronger the colour, the larger the
#   number.
# - *Key k*: such a vector for every token.
# - *q × k*: the two multiplied, cell by cell. Where both have the same sign the product is blue.
# - *q · k*: all products of a row added up and divided by √d. This is the score.
# - *[Softmax](glossary.md#softmax)*: the weight that comes out. One row wins.
#
# One column of cells, the same place in every vector, is called a **[neuron](glossary.md#neuron)**
# here; the picture says *dimension*. Point at other words on the left: the query changes, the keys
# stay.
#
# The word "cat" stands in the text twice. Does it look at itself as much as at the other one?

# %%
weights = att.head(layer, head)[cat]
print(
    f"layer {layer}, head {head}: to the other cat {weights[other]:.3f}, to itself {weights[cat]:.3f}"
)
if PROFILE == "shipped":
    claim("over 0.85 of the weight goes to the other cat", weights[other] > 0.85)
    claim("less than 0.05 goes to the same token, though it is the same word", weights[cat] < 0.05)

# %% [markdown]
# It is the same word, in the same head. To see why, in the shipped model, one gets so much and the
# other so little, follow the numbers.
#
# ## From two vectors to one weight
#
# `att.projections` holds the queries and keys that the model computed. These are the cells of the
# picture, as numbers:

# %%
q = att.projections.queries[layer, head, cat]
k = att.projections.keys[layer, head].clone()  # a copy, which you may change
d = len(q)
score = k @ q / d**0.5
print(f"d = {d}; one query {tuple(q.shape)}, {len(k)} keys {tuple(k.shape)}")
for i in score.argsort(descending=True, stable=True)[:3].tolist():
    print(f"{att.tokens.texts[i]:>6} (token {i}): score {score[i]:.2f}, weight {weights[i]:.3f}")
error = (score.softmax(0) - weights).abs().max()
claim("softmax of these scores is the model's own row of weights, to 1e-5", error < 1e-5)

# %% [markdown]
# ### Exercise 3.1: predict, then check
#
# Take the two scores of "cat": to the other cat, and to itself. How many *times* larger is the first
# weight than the second? Work it out from the two scores alone, without looking at the weights, to
# one part in twenty.

# %%
print(f"to the other cat {score[other]:.3f}, to itself {score[cat]:.3f}")

# %% exercise="3.1"
times_larger = ...

# %%
with exercise("3.1", times_larger) as guess:
    assert not isinstance(guess, str), "Write the number without quotation marks."
    first, second = float(score[other]), float(score[cat])
    right = abs(guess / float(weights[other] / weights[cat]) - 1) < 0.05
    assert right or abs(guess - (first - second)) > 0.05, (
        "That is the difference of the scores. Softmax takes e to the power of each score first."
    )
    assert right or abs(guess - first / second) > 0.05, (
        "That is the ratio of the scores. A weight is not proportional to its score."
    )
    assert right or (guess > 1) == (first > second), (
        "The cat with the larger score gets more weight. Which is divided by which?"
    )
    assert right, (
        "Not yet. Each weight is e^score, divided by the same sum. What is left of that sum in a ratio?"
    )

# %% [markdown]
# So a small lead in score is a large lead in weight. And only the *difference* of two scores counts.
# You will need that twice more in this lesson.
#
# ## Which neurons did it?
#
# The score is a sum with one part for each neuron. Does one neuron find the other cat? How many of the
# largest parts do you expect to need for half of the score?

# %%
parts = k * q / d**0.5
won = parts[other]
largest = won.argsort(descending=True, stable=True)[:6].tolist()
print(f"{parts.shape[0]} keys × {parts.shape[1]} neurons")
plus, minus = float(won.clamp_min(0).sum()), float(won.clamp_max(0).sum())
print(f"other cat: parts above 0 {plus:+.2f}, below 0 {minus:+.2f}, together {won.sum():.2f}")
print("largest parts:", ", ".join(f"neuron {n} {won[n]:+.2f}" for n in largest))
half = int((won.sort(descending=True).values.cumsum(0) < won.sum() / 2).sum()) + 1
if won.sum() > 0:
    print(f"half of the score: the {half} largest of {d}")
if PROFILE == "shipped":
    claim("four neurons of 32 make half of the score", half == 4)

# %% [markdown]
# (The colours of *q × k* in the picture are these numbers before the division by √d.)
#
# In the shipped model no single neuron finds the other cat. Many pull the same way, and few against
# it. Is that special? Parts of +3 and −1 make 2: half of what there was *survives*, and the rest
# cancels. Compare how much survives for a query and the key that it looks at most, for a query and any
# key, and for random vectors. What do you expect?


# %%
def survives(terms):
    """How much of the parts their sum keeps: 1 if all pull one way, near 0 if they cancel."""
    return terms.sum(-1).abs() / terms.abs().sum(-1)


queries, keys = att.projections.queries, att.projections.keys
all_parts = queries.unsqueeze(3) * keys.unsqueeze(2) / d**0.5  # of each head, query, key and neuron
best = att.weights.argmax(-1)  # of each head and query, its favourite key
winning = all_parts.take_along_dim(best[..., None, None], 3).squeeze(3)  # that key's parts
torch.manual_seed(0)
random = torch.randn(20_000, d) * torch.randn(20_000, d)
surviving = {
    "a query and its favourite key": float(survives(winning).mean()),
    "a query and any key": float(survives(all_parts).mean()),
    "random vectors": float(survives(random).mean()),
}
for name, share in surviving.items():
    print(f"{name:>29}: {share:.2f} survives")
if PROFILE == "shipped":
    for_best, for_any, by_chance = surviving.values()
    claim("most cancels for any query and key", for_any < 0.35)
    claim("though less than by chance", for_any > by_chance)
    claim("over twice as much survives for the favourite key", for_best > 2 * for_any)

# %% [markdown]
# In the shipped model most pairs of tokens cancel much as random vectors do, and the favourite is a key
# where *many* neurons pull the same way. (These are averages over all heads and all tokens.)
#
# ## Take a neuron out
#
# The strongest colour in *q × k* draws the eye. Does it matter most? Test it: [take the neuron
# out](glossary.md#ablation), and see what becomes of the weight.
#
# ### Exercise 3.2: write the test
#
# Write a function that takes the parts (keys × neurons) and the number of a neuron, and returns the
# weights of all keys when that neuron adds nothing. The parts themselves must stay as they are.


# %% exercise="3.2"
def weights_without(parts, neuron):
    return ...


# %%
with exercise("3.2", weights_without) as answer:
    small = torch.tensor([[1.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    got = torch.as_tensor(answer(small, 1))
    assert small[0, 1] == 2, "You changed the parts that were passed in. Begin with parts.clone()."
    assert got.shape != (1,), "You took out a key. Rows are keys and columns are neurons."
    assert got.shape == (2,), (
        f"Two keys have two weights, but your answer has shape {tuple(got.shape)}."
    )
    assert abs(float(got.sum()) - 2) > 1e-5, "These are scores. Softmax makes weights of them."
    assert abs(float(got[0]) - 0.881) > 0.001, (
        "That is what this neuron does alone, or what all do together. Add up all but this one."
    )
    assert (got - 0.5).abs().max() < 1e-5, (
        "Without neuron 1 both keys have the score 1, so each gets half. The parts are divided by √d already."
    )
    kept = torch.as_tensor(answer(parts, largest[0]))[other]
    print(
        f"without neuron {largest[0]} the other cat gets {kept:.2f} instead of {weights[other]:.2f}"
    )

# %% [markdown]
# ### Exercise 3.3: find the neuron
#
# Now the word "rug". In the shipped model this head finds no partner for it in the other sentence,
# and rests on [CLS]. Which neuron, when it is taken out, *lowers* the weight of this favourite key the
# most? `parts_rug` holds the parts. Answer with the neuron's number, counted from 0.

# %%
rug = att.tokens.positions("rug")[0]
parts_rug = all_parts[layer, head, rug]
on_rug = parts_rug.sum(1).softmax(0)
favourite = int(on_rug.argmax())
print(
    f"rug looks at {att.tokens.texts[favourite]} (token {favourite}) with {on_rug[favourite]:.2f}"
)
if PROFILE == "shipped":
    claim("the favourite of rug is [CLS]", att.tokens.texts[favourite] == "[CLS]")

# %% exercise="3.3"
culprit = ...

# %%
with exercise("3.3", culprit) as neuron:
    assert 0 <= neuron < d and int(neuron) == neuron, (
        f"Answer with a whole number from 0 to {d - 1}."
    )
    neuron = int(neuron)
    left = (parts_rug.sum(1, keepdim=True) - parts_rug).softmax(0)[favourite]
    fall = on_rug[favourite] - left
    more = int((fall > fall[neuron] + 1e-6).sum())
    assert fall[neuron] > 0, (
        "Without this neuron the weight grows: it worked against the favourite key."
    )
    assert more == 0 or neuron != int(parts_rug[favourite].argmax()), (
        "This one has the largest part, but another matters more. Try each with your function of 3.2."
    )
    assert more == 0, f"Of {d} neurons, this one is number {more + 1}. Try each of them."

# %% [markdown]
# ## A large product that does little
#
# Is the neuron with the largest part the one that matters most? For another word, "sat", here are the
# three neurons with the largest parts in the score of its favourite key, and those that lower its
# weight most. Before you read the last number of each line: what, beside the part itself, might decide
# how much a neuron matters?

# %%
sat = att.tokens.positions("sat")[0]
parts_sat = all_parts[layer, head, sat]
row = parts_sat.sum(1).softmax(0)
favourite_of_sat = int(row.argmax())
rivals = row.clone()
rivals[favourite_of_sat] = 0
to_rivals = (rivals / rivals.sum()) @ parts_sat  # their mean, each counted by its weight
left = (parts_sat.sum(1, keepdim=True) - parts_sat).softmax(
    0
)  # one column for each neuron taken out
falls = row[favourite_of_sat] - left[favourite_of_sat]
top, *others = parts_sat[favourite_of_sat].argsort(descending=True, stable=True)[:3].tolist()
strong = falls.argsort(descending=True, stable=True)[:4].tolist()
for n in dict.fromkeys([top, *others, *strong]):
    print(
        f"neuron {n:2}: part {parts_sat[favourite_of_sat, n]:+.2f}, for the rivals {to_rivals[n]:+.2f}, "
        f"without it the weight falls by {falls[n]:.3f}"
    )

# %%
without = (all_parts.sum(-1, keepdim=True) - all_parts).softmax(3)
lost = att.weights.amax(-1, keepdim=True) - without.take_along_dim(
    best[..., None, None], 3
).squeeze(3)
agree = (winning.argmax(-1) == lost.argmax(-1)).float().mean()
print(f"the largest part is also what matters most: in {agree:.0%} of all tokens and heads")
if PROFILE == "shipped":
    claim(
        "for sat, at least five neurons matter more than the one with the largest part",
        (falls > falls[top]).sum() >= 5,
    )
    claim(
        "in all heads, the largest part is the wrong guess in a third of the cases or more",
        agree < 2 / 3,
    )

# %% [markdown]
# **What to look at.** Compare the first two numbers of a line. Where a neuron adds as much to the
# rivals as to the favourite, it decides little, however strong its colour is. A neuron matters when it
# tells the winner *from the rest*. In the neuron view that means: read *q × k* down a column, not along
# a row.
#
# ### Exercise 3.4: explain the surprise
#
# Push this to its limit. Change the keys such that *every* score of "cat" moves by at least 1 and
# *no* weight moves. Answer with the new keys, in the shape of `k`. There are many right answers.

# %% exercise="3.4"
moved_keys = ...

# %%
with exercise("3.4", moved_keys) as moved:
    moved = torch.as_tensor(moved).float()
    assert moved.shape == k.shape, (
        f"Give a key for every token: {tuple(k.shape)}, not {tuple(moved.shape)}."
    )
    new_score = moved @ q / d**0.5
    shift = new_score - score
    assert shift.abs().max() > 1e-4, (
        "No score moved. What you added has to fit the query: its product with q must not be 0."
    )
    drift = (new_score.softmax(0) - weights).abs().max()
    assert drift < 1e-3, (
        f"A weight moved by {drift:.3f}. The scores moved by {shift.min():.2f} to {shift.max():.2f}: "
        "which moves does softmax not notice?"
    )
    assert shift.abs().min() > 0.999, (
        f"A score moved by {shift.abs().min():.2f} only. Make it larger."
    )

# %% [markdown]
# What is the same for all keys, softmax does not see. That has a consequence for the model itself.
# A key is made of a matrix and a **bias**, one vector that is added to *every* key. What does the
# bias of the keys do for attention?

# %%
block = model.module.encoder.layer[layer].attention.self
with torch.no_grad():
    per_head = block.key.bias.view(att.heads, d)[head]
    unbiased = ((k - per_head) @ q / d**0.5).softmax(0)
    key_bias, query_bias = (float(one.bias.abs().max()) for one in (block.key, block.query))
print(
    f"layer {layer}: largest number of the key bias {key_bias:.4f}, of the query bias {query_bias:.2f}"
)
claim("without the key bias no weight changes", (unbiased - weights).abs().max() < 1e-5)
if PROFILE == "shipped":
    claim(
        "training left the key bias near 0 and moved the query bias",
        key_bias < 0.01 < 0.5 < query_bias,
    )

# %% [markdown]
# Nothing at all. And training knows: what changes no weight is given no reason to grow. In the shipped
# model the key bias stayed where it began, while the query bias did not.
#
# ## Why √d?
#
# Every score was divided by √d. What if it was not? First with random vectors, 15 keys for each
# query, as in our sentences. Their dot products spread like √d (lesson 01): the more numbers, the
# larger the scores.
#
# Two things to measure in a row. Its largest weight says how sharp it is. And how far can a weight p
# still be moved? If its score changes a little, p changes p(1 − p) times as much. Added up over the
# keys, call this the **give** of the row. What do you expect for d = 1024?


# %%
def largest_and_give(scores):
    p = scores.softmax(-1)
    return float(p.amax(-1).mean()), float((p * (1 - p)).sum(-1).mean())


torch.manual_seed(0)
table = {}
for size in (4, 32, 256, 1024):
    bare_scores = (torch.randn(500, 1, size) * torch.randn(500, 15, size)).sum(-1)
    table[size] = largest_and_give(bare_scores), largest_and_give(bare_scores / size**0.5)
    bare_text, divided = (f"largest weight {a:.2f}, give {b:.2f}" for a, b in table[size])
    print(f"d = {size:4}: bare {bare_text} | divided by √d {divided}")
claim(
    "bare scores of 1,024 numbers leave a row less than a tenth of its give",
    table[1024][0][1] < 0.1 * table[1024][1][1],
)
claim(
    "divided by √d, the give is over 0.8 for every d",
    all(both[1][1] > 0.8 for both in table.values()),
)

# %% [markdown]
# **What to look at.** On the left, one key takes nearly all as d grows, and the give goes to 0:
# training moves weights in small steps, and a row without give cannot be moved. On the right all
# sizes behave alike. This is the reason that Vaswani and
# colleagues (2017) give for √d.
#
# These were random vectors. Does it hold for the vectors of this model, too?

# %%
scores = att.projections.scores(causal=False)
bare = (scores * d**0.5).softmax(-1)
print(
    f"trained: mean largest weight {att.weights.amax(-1).mean():.2f}, without √d {bare.amax(-1).mean():.2f}"
)
fresh = course.load("minilm", profile=PROFILE, stage="random", seed=0, device="cpu")
untrained = course.attend(fresh, "The cat sat on the mat").projections.scores(causal=False) * d**0.5
print(f"spread of bare scores before training {untrained.std(-1).mean():.2f}; √d is {d**0.5:.2f}")
if PROFILE == "shipped":
    claim(
        "in the trained model, without √d the largest weight is over 0.9 on average",
        bare.amax(-1).mean() > 0.9,
    )
    claim("with √d it is under 0.6", att.weights.amax(-1).mean() < 0.6)
    claim(
        "before training even the bare scores spread by less than 1", untrained.std(-1).mean() < 1
    )

# %% [markdown]
# So yes for the shipped model, and a small surprise for the untrained one. The argument assumes
# numbers with a spread of 1. An untrained copy of the shipped model begins with smaller ones, and
# would start gently even without √d. A good reason for a rule need not be what matters in the model
# before you.
#
# ### Exercise 3.5: find the head
#
# In the shipped model one head hardly notices whether its scores are divided. Find it: `bare` holds
# the weights without √d, in the shape of `att.weights`. How far a row moves is half the sum of the
# absolute differences, from 0 to 1; take the mean over the rows. Answer with `(layer, head)`, the one
# that moves least.

# %% exercise="3.5"
unmoved = ...

# %%
with exercise("3.5", unmoved) as found:
    place = tuple(torch.as_tensor(found).flatten().tolist())
    assert len(place) == 2, (
        f"Give a pair (layer, head). {att.heads} heads make a layer: divmod(number, {att.heads}) splits a number."
    )
    assert 0 <= place[0] < att.layers and 0 <= place[1] < att.heads, (
        f"There are layers 0 to {att.layers - 1} and heads 0 to {att.heads - 1}. The layer comes first."
    )
    distance = (bare - att.weights).abs().sum(-1).mean(-1) / 2
    less = int((distance < distance[place]).sum())
    assert distance[place] < distance.max(), "This head moves most of all. Search for the smallest."
    assert less == 0, f"{less} heads move less than this one. Have you taken absolute differences?"

# %% [markdown]
# ## A head that undoes it
#
# Weights that do not change when their scores grow are weights that are all but 0 and 1 already. How
# did a head get there, if √d keeps scores small? A score is large when the vectors point the same
# way, or when they are *long*. Here are the lengths of queries and keys, multiplied:

# %%
length = queries.norm(dim=-1).mean(-1) * keys.norm(dim=-1).mean(-1)
longest = divmod(int(length.argmax()), att.heads)
usual = float(length.median())
shrunk = (scores[longest] * usual / length[longest]).softmax(-1)
print(
    f"longest: layer {longest[0]} head {longest[1]}, {length[longest]:.0f}; the median head has {usual:.0f}"
)
before, after = (float(one.diagonal(-1).mean()) for one in (att.head(*longest), shrunk))
print(f"its weight on the token before: {before:.2f}; with vectors of the usual length {after:.2f}")
if PROFILE == "shipped":
    claim("the previous-token head of lesson 02 has the longest vectors", longest == (0, 2))
    claim("the product of their lengths is over five times the usual", length[longest] > 5 * usual)
    claim(
        "with vectors of the usual length it keeps less than two thirds of this weight",
        after < 2 / 3 * before,
    )

# %%
course.neuron_view(att, layer=longest[0], head=longest[1], query=other)

# %% [markdown]
# **What to look at.** Compare the colours with the first picture. In the shipped model the cells of
# *q × k* are stronger all over: long vectors. Several scores look alike, and still one key takes all.
# The colours end near 8, so that 20 and 30 are the same blue: the line above the picture has the
# numbers.
#
# Dividing by √d decides where training *starts*. It is no limit on where it ends: a head can learn long
# vectors, and be as sharp as it needs.
#
# ### Exercise 3.6: your own query
#
# Make the neuron view of a sentence of your own, with `course.neuron_view(model, text, layer=…,
# head=…)`. A cell shows what its last line is: write `my_view` below your answer to see the picture.
# Point at a word that you are curious about, and find the column that tells the winner from its
# rivals. This one cannot be wrong.

# %% exercise="3.6" open=true
my_view = ...

# %%
with exercise("3.6", my_view) as own:
    assert isinstance(own, course.View), (
        "Answer with what course.neuron_view(model, text, …) returns."
    )
    print(own.summary)

# %% [markdown]
# ## What you have seen
#
# - A weight comes from one query and all keys: multiply, add, divide by √d, softmax.
# - The ratio of two weights is e to the difference of their scores. What is the same for all keys
#   changes nothing.
# - The largest product is often not the one that matters. Take neurons out, and compare with the
#   rivals.
# - √d keeps rows movable for vectors of any size. A head can undo it with long vectors, and one of the
#   shipped model did.
# - All this explains how a head comes to its weights, and not what the model does with them.
#
# **Read next.** Vaswani et al. 2017, *Attention Is All You Need* (arXiv 1706.03762), section 3.2.1
# with its footnote on √d. Vig 2019, *A Multiscale Visualization of Attention in the Transformer
# Model* (arXiv 1906.05714), on the neuron view. Henry, Dachapally, Pawar and Chen 2020, *Query-Key
# Normalization for Transformers* (arXiv 2010.04245), who fix the length of queries and keys.
