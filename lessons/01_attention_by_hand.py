# ---
# title: Attention by hand
# minutes: 45
# objectives:
#   - say what a token is, and what [CLS] and [SEP] are for (1.1, 1.5, 1.6)
#   - compute the weights of one attention head from its queries and keys (1.2, 1.3)
#   - check your numbers against the model's own, to one part in a hundred thousand (1.3)
#   - say what the weights are used for, and what they are not (1.4)
# prerequisites: []
# roles: [minilm]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import torch

import course
from course import claim, exercise, measures

model = course.load("minilm", profile=PROFILE, device="cpu")
sentence = "The cat sat on the mat"
att = course.attend(model, sentence)
att

# %% [markdown]
# You have just run a [transformer](glossary.md#transformer) and kept its attention. The first line
# says how much there is: for every [layer](glossary.md#layer) and every [head](glossary.md#head),
# a table with one weight for every pair of tokens. By the end of this lesson you will have computed
# one of these tables yourself, from vectors, and it will agree with the model's.
#
# ## What the model reads
#
# A model does not read words. A [tokenizer](glossary.md#tokenizer) cuts the text into pieces from a
# fixed vocabulary, and each piece becomes a number. How many pieces do you expect for a word that
# the vocabulary does not have?

# %%
texts = (sentence, "unbelievable", "Tokenizers")
cut = {text: list(course.attend(model, text).tokens) for text in texts}
for text, tokens in cut.items():
    print(f"{text!r}: {len(tokens)} tokens, {' '.join(tokens)}")

claim(
    "every input begins with [CLS] and ends with [SEP]",
    all((tokens[0], tokens[-1]) == ("[CLS]", "[SEP]") for tokens in cut.values()),
)

# %% [markdown]
# Three things to look at in these lines:
#
# - A word that the vocabulary does not have is cut into sub-words. `##` says "this continues the
#   word before".
# - Capitals are gone: this vocabulary is lower case.
# - [[CLS] and [SEP]](glossary.md#cls-and-sep) were added. Nobody typed them. [CLS] ("classify")
#   gives the model a place to collect what the whole text says; [SEP] ("separate") marks where a
#   text ends. They are ordinary tokens to the model: they have vectors, they attend, and they are
#   attended to.
#
# ### Exercise 1.1: predict, then check
#
# How many tokens does the model read for the text below? Guess before you let the tokenizer count:
# nobody can know where it cuts, and the check says whether you are too low or too high.

# %%
text = "The geologists photographed antidisestablishmentarianism"

# %% exercise="1.1"
count = ...

# %%
with exercise("1.1", count) as guess:
    assert not isinstance(guess, str), "Write the number without quotation marks."
    real = len(course.attend(model, text).tokens)
    words = len(text.split())
    assert guess != words, "That is the number of words. Rare words are cut into several tokens."
    assert guess != real - 2, (
        "You counted the pieces of the words. The tokenizer adds two tokens of its own."
    )
    assert guess == real, (
        f"Too {'low' if guess < real else 'high'}. Guess again, or print course.attend(model, "
        "text).tokens and count."
    )

# %% [markdown]
# ## From tokens to vectors
#
# Each token becomes a [vector](glossary.md#embedding), a row of numbers. It is the sum of three that
# were learnt: one for the piece, one for its place in the text, and one for the sentence it belongs
# to. (The sum is then brought to a common scale.) `model.module` is the model as PyTorch knows it:

# %%
inputs = model.tokenizer(sentence, return_tensors="pt")
with torch.no_grad():
    vectors = model.module.embeddings(inputs["input_ids"])[0]
print(f"{vectors.shape[0]} tokens, {vectors.shape[1]} numbers each")

# %% [markdown]
# These rows are the input of layer 0. A head does not compare them themselves. It first makes
# [three new ones](glossary.md#key-query-value) from each, with three matrices that were learnt:
#
# - a **query**: what this token looks for,
# - a **key**: what this token can be found by,
# - a **value**: what this token hands over to those who look at it.
#
# The queries of all heads of a layer are computed at once, side by side in one long row, and so are
# keys and values. Head 0 has the first piece of the row, head 1 the next, and so on. Here are the
# pieces of layer 0, head 2:

# %%
block = model.module.encoder.layer[0].attention.self
size = block.attention_head_size
head = 2
piece = slice(head * size, (head + 1) * size)
with torch.no_grad():
    q = block.query(vectors)[:, piece]
    k = block.key(vectors)[:, piece]
    v = block.value(vectors)[:, piece]
print(
    f"queries {tuple(q.shape)}, keys {tuple(k.shape)}, values {tuple(v.shape)}: tokens by head size"
)

# %% [markdown]
# ### Exercise 1.2: scores
#
# How well does a query fit a key? The *score* is their dot product (multiply number by number, and
# add up), divided by the square root of the head size $d$, which is how many numbers each of them
# has:
#
# $$s_{ij} = \frac{q_i \cdot k_j}{\sqrt{d}}$$
#
# Write a function that takes queries (tokens × d) and keys (tokens × d) and returns all scores at
# once, one row per query and one column per key. In torch `a @ b` multiplies two matrices and `a.T`
# lays one on its side; two loops are as right.


# %% exercise="1.2"
def scores(queries, keys):
    return ...


# %%
with exercise("1.2", scores) as answer:
    two = torch.tensor([[2.0, 0.0, 0.0, 0.0]])
    pair = torch.tensor([[3.0, 0.0, 0.0, 0.0], [0.0, 5.0, 0.0, 0.0]])
    got = torch.as_tensor(answer(two, pair))
    assert got.shape != (2, 1), (
        "Rows and columns are swapped: one row per query, one column per key."
    )
    assert got.shape == (1, 2), (
        f"One query and two keys make a 1 × 2 table, not {tuple(got.shape)}."
    )
    first, second = got[0].tolist()
    assert second == 0, "The second key is at a right angle to the query: its score is 0."
    assert abs(first - 6) > 1e-4, "6 is the bare dot product. Divide it by √d."
    assert abs(first - 1.5) > 1e-4, "You divided by d. Divide by its square root."
    assert abs(first - 3) < 1e-4, (
        f"2 · 3 / √4 is 3, but your score is {first:.3f}. Take d from the vectors that are passed in."
    )

# %% [markdown]
# Why the square root? What becomes of dot products if the vectors have more numbers? Take random
# ones, and measure how far their dot products spread around 0 (the standard deviation):

# %%
torch.manual_seed(0)
spread = {
    d: float((torch.randn(2000, d) * torch.randn(2000, d)).sum(1).std()) for d in (4, 64, 1024)
}
for d, value in spread.items():
    print(f"vectors of {d:4} numbers: spread {value:4.1f}, √d {d**0.5:4.1f}")
claim(
    "the spread of random dot products is √d, within a tenth",
    all(abs(value / d**0.5 - 1) < 0.1 for d, value in spread.items()),
)

# %% [markdown]
# Without the division, vectors of many numbers would give large scores, and the next step would turn
# almost every row into "all on one token". Lesson 03 looks into that.
#
# ### Exercise 1.3: weights
#
# Scores can be any number. *Weights* must be shares: positive, and summing to 1 for each query.
# [Softmax](glossary.md#softmax) does that: exponentiate, then divide by the row's sum.
#
# Write a function that goes all the way from queries and keys to weights. It should meet the
# model's own numbers for this head to one part in a hundred thousand.


# %% exercise="1.3"
def attention_weights(queries, keys):
    return ...


# %%
with exercise("1.3", attention_weights) as answer:
    got = torch.as_tensor(answer(q, k))
    assert got.shape == (8, 8), (
        f"Eight tokens make an 8 × 8 table of weights, not {tuple(got.shape)}."
    )
    columns = (got.sum(0) - 1).abs().max() < 1e-4
    rows = (got.sum(1) - 1).abs().max() < 1e-4
    assert rows or not columns, (
        "Your columns sum to 1. Each row should: softmax over the keys, the last axis."
    )
    assert rows, (
        "The rows do not sum to 1 yet. Divide each row by its own sum, or use torch.softmax."
    )
    assert (got >= 0).all(), "Some shares are negative. Exponentiate before you divide."
    error = (got - att.weights[0, head]).abs().max()
    assert error < 1e-5, (
        f"The rows sum to 1, but you are {error:.1g} away from the model. Are the scores scaled?"
    )

# %% [markdown]
# If that says ✓, you have reproduced the weights of an attention head. Nothing else is hidden in
# them. The library can do the same check for all heads at once, with the queries and keys that it
# took from the model as it ran. (Its second line is for models that write, in lesson 02.)

# %%
check = att.identities(tolerance=1e-5)
print(check)
claim("in every head the model's weights equal softmax(QKᵀ/√d) to 1e-5", check.hold)

# %% [markdown]
# ## A look at your head
#
# Here is your table as a picture. In the shipped model it is the head of lesson 00, in which "sat"
# looks at the token before. Before you look: what can [CLS] do, which has none before it?

# %%
course.head_view(att, layer=0, heads=[head])

# %% [markdown]
# **What to look at.** Tokens on the left look at tokens on the right; the stronger the line, the
# larger the weight. Run the pointer over the words on the left. In the shipped model each line
# climbs by one step: this head looks at the token *before*. Only [CLS] looks at itself. Is it
# grammar that the head has learnt? In lesson 02 you will test that.

# %%
steps = att.head(0, head).diagonal(-1)
for before, token, weight in zip(att.tokens, list(att.tokens)[1:], steps, strict=False):
    print(f"{token:>5} → {before:5} {weight:.2f}")
if PROFILE == "shipped":
    claim(
        "every token but the first puts over 0.99 of its attention on the token before",
        steps.min() > 0.99,
    )
    claim("[CLS] puts over 0.99 of its attention on itself", att.head(0, head)[0, 0] > 0.99)

# %% [markdown]
# ## What the weights are for
#
# The head's output for a token is a mixture: everybody's *values*, each times its weight, added
# up. A weight of 0.9 therefore says "nine tenths of my output is your value vector". It does not
# say that the token was *important*: a large weight on a tiny value changes little.
#
# ### Exercise 1.4: mix the values
#
# Write the mixture. Take weights (queries × keys) and values (keys × d) and return the output,
# queries × d, as a tensor.


# %% exercise="1.4"
def mix(weights, values):
    return ...


# %%
with exercise("1.4", mix) as answer:
    shares = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    handed = torch.tensor([[4.0, 0.0], [0.0, 8.0]])
    got = answer(shares, handed)
    assert hasattr(got, "shape"), "Return a tensor: torch.stack makes one of a list of vectors."
    assert got.shape == (2, 2), (
        f"Two queries and values of size 2 give a 2 × 2 output, not {tuple(got.shape)}."
    )
    assert got.tolist() != [[2.0, 4.0], [2.0, 4.0]], (
        "That is the plain average of the values. Use the weights."
    )
    assert got.tolist() != [[1.0, 8.0], [3.0, 0.0]], (
        "You mixed down the columns. Row i of the weights is query i's."
    )
    assert got.tolist() != [[1.0, 0.0], [0.0, 0.0]], (
        "You weighed single numbers. Each whole vector gets one weight."
    )
    assert got.tolist() == [[1.0, 6.0], [4.0, 0.0]], (
        "A quarter of (4, 0) and three quarters of (0, 8) make (1, 6)."
    )
    with torch.no_grad():
        whole = block(vectors[None])[0][0]
    error = (torch.as_tensor(answer(att.weights[0, head], v)) - whole[:, piece]).abs().max()
    assert error < 1e-5, f"The small case is right, but the head's own output is {error:.1g} away."

# %% [markdown]
# ## How much goes to [CLS] and [SEP]?
#
# Two tokens of eight were typed by nobody. If attention were spread evenly they would get a
# quarter of it. What do you expect them to get?

# %%
typed = att.without_special()
print(typed)
removed = float(typed.removed.mean())
if PROFILE == "shipped":
    claim(
        "the special tokens hold more than twice their even share of the typed tokens' attention",
        removed > 2 * 2 / 8,
    )

# %% [markdown]
# **What to look at.** The last line says how much of the typed words' attention was on the special
# tokens. The picture of a head can be mostly a picture of [CLS] or [SEP]. Clark and colleagues
# (2019) saw [BERT](glossary.md#bert) do this with [SEP] and read it as a resting place: a head that
# finds nothing to do in this sentence looks where a look changes little.
#
# ### Exercise 1.5: find the head
#
# Which head rests the most? `measures.share_on(att, positions)` gives every head's share on some
# positions, as a table layers × heads, and `att.keys.special_positions` are the places of the
# special tokens. Answer with a pair `(layer, head)`, both counted from 0. (A table's `argmax()`
# is one number: it counts through the rows, one after the other.)

# %% exercise="1.5"
resting = ...

# %%
with exercise("1.5", resting) as found:
    share = measures.share_on(att, att.keys.special_positions)
    place = tuple(torch.as_tensor(found).flatten().tolist())
    assert len(place) == 2, (
        f"Give a pair (layer, head). {att.heads} heads make a layer: divmod(number, {att.heads}) splits a number."
    )
    assert 0 <= place[0] < att.layers and 0 <= place[1] < att.heads, (
        f"There are layers 0 to {att.layers - 1} and heads 0 to {att.heads - 1}. The layer comes first."
    )
    beyond = int((share > share[place]).sum())
    assert beyond == 0, (
        f"{beyond} heads rest more than this one. Search for the largest number in the table."
    )

# %% [markdown]
# Where does it rest? In the paper's model it is [SEP]. Ask yours:

# %%
for name in ("[CLS]", "[SEP]"):
    print(f"{name}: {measures.share_on(att, att.keys.positions(name)).mean():.0%} of all attention")
if PROFILE == "shipped":
    on = {
        name: measures.share_on(att, att.keys.positions(name)).mean() for name in ("[CLS]", "[SEP]")
    }
    claim("this model rests on [CLS] far more than on [SEP]", on["[CLS]"] > 3 * on["[SEP]"])

# %% [markdown]
# ### Exercise 1.6: your own text
#
# Was it this sentence? Attend to a text of your own, with a word that no vocabulary will know whole:
# a name, a typing error, another language. Answer with the `Attention`. This one cannot be wrong: the
# check prints the tokens and how much of the attention rests on the special ones.

# %% exercise="1.6" open=true
mine = ...

# %%
with exercise("1.6", mine) as own:
    assert isinstance(own, course.Attention), "Answer with what course.attend(model, …) returns."
    rests = float(measures.share_on(own, own.keys.special_positions).mean())
    print(" ".join(own.tokens), f"– {rests:.0%} on special tokens")

# %% [markdown]
# ## What you have seen
#
# - Text becomes tokens, tokens become vectors, and a head makes a query, a key and a value of
#   each.
# - Weights are softmax(QKᵀ/√d): you computed them and met the model's own numbers.
# - The output is the values mixed by the weights. A weight says where information is *taken
#   from*, not how much it matters.
# - [CLS] and [SEP] take a large part of the attention. Keep that in mind with every picture.
#
# **Read next.** Vaswani et al. 2017, *Attention Is All You Need* (arXiv 1706.03762), section 3.2.
# Clark, Khandelwal, Levy and Manning 2019, *What Does BERT Look At?* (arXiv 1906.04341), section
# 3.
