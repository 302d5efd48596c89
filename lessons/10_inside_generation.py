# ---
# title: Inside generation
# minutes: 75
# objectives:
#   - read what a model would say after each layer, and compute it yourself (10.1, 10.2, 10.7)
#   - measure induction heads, and say what they copy (10.3)
#   - take heads out, and tell a head that does nothing from one that is not alone (10.4)
#   - test whether a token that is blamed is to blame (10.5)
#   - find groups of neurons, and say how much of the activity they leave out (10.6)
# prerequisites: [01_attention_by_hand, 02_head_and_model_view]
# roles: [shakespeare]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import torch

import course
from course import claim, exercise

model = course.load("shakespeare", profile=PROFILE, device="cpu")
text = "O Bunzomar, Bunzomar! wherefore art thou Bunzomar"
seen = course.lens(model, text)
end = len(seen.tokens)
course.lens_view(seen, positions=range(end - 7, end))

# %% [markdown]
# This model writes. It reads a text from left to right and predicts the next token. The shipped one has
# learnt from Shakespeare's plays, where nobody is called Bunzomar, and it reads small pieces: to it the
# name is B·u·n·z·om·ar. Each column above is one place of the text. Each row is a layer, and a cell holds the
# token that the model would say next if it stopped after that layer.
#
# (What this lesson says of tokens, layers and heads is true of the shipped model. On another, make the same
# tests, and see what becomes of the story.)
#
# **What to look at.** Take the column of "z" and go down. The first row says "z" again. After
# layer 0 the guess is poor. Then something happens: from which row on does the model know how the
# name goes on? Now choose the table *Rank of the token that follows in the text*: 1 says that the
# right token comes first. (In print there is the first table only. The numbers are here.)

# %%
for place in range(end - 6, end - 1):
    ranks = seen.ranks([seen.ids[place + 1]])[:, place, 0].tolist()
    print(f"{seen.tokens.texts[place]} → {seen.tokens.texts[place + 1]}: rank {ranks}")
if PROFILE == "shipped":
    om = seen.ranks([seen.ids[5]])[:, :, 0]
    claim(
        'after layer 0, "om" is not among the first 50 guesses after the last "z"', om[1, 26] > 50
    )
    claim("after layer 1 it comes first", om[2, 26] == 1)
    claim('after the first "z" of the text it is never among the first 20', om[:, 4].min() > 20)

# %% [markdown]
# The ranks run from the [embeddings](glossary.md#embedding) to the last layer. At the end of this lesson
# you will know which heads do this, on which other head they rest, and how to prove it.
#
# ## What a row says
#
# ### Exercise 10.1: predict, then check
#
# The row "embeddings" stands before all layers. What does it hold most probable after "My lord,
# the"? Look at the first row of the picture again, decide, and answer with the token as the
# cells write it. (␣ is a space: of many tokens it is a part. The cells show it, the words above the columns
# leave it out. Copy it from this line.)

# %% exercise="10.1"
first_guess = ...

# %%
with exercise("10.1", first_guess) as guess:
    lord = course.lens(model, "My lord, the")
    told = lord.top(0, -1, 1)[0].text
    right = guess == told
    assert right or guess != lord.top(-1, -1, 1)[0].text, (
        "That is what the last layer says. Before all layers, the model has only looked up one vector."
    )
    assert right or guess.strip() != told.lstrip("␣"), (
        "Nearly: a space before the word is part of this token. Write ␣."
    )
    assert right, (
        "In the picture, compare the first row with the tokens above it. What has the model just read?"
    )

# %% [markdown]
# Why is that so? The vector of a token enters the model through a table, and the same table is used at the
# end to turn vectors into guesses. Before any layer has worked, the nearest token to the vector is the
# token itself. Then the layers [add](glossary.md#residual-connection) to the vector, each a little, until
# it says what comes next.

# %%
entry, exit_ = model.module.get_input_embeddings(), model.module.get_output_embeddings()
claim("the table at the entry is the table at the exit", entry.weight is exit_.weight)
if PROFILE == "shipped":
    own = seen.ranks(torch.tensor(seen.ids)[:, None])[0]
    claim("in the first row every token of our text comes first after itself", (own == 1).all())

# %% [markdown]
# ### Exercise 10.2: the lens by hand
#
# What the model does at its end can be done after any layer. It puts the vectors through its last *norm*,
# which brings all of them to a like size, and then through its last matrix, which gives one number, a
# [logit](glossary.md#logit), for each token of the vocabulary. That is all there is to the **[logit
# lens](glossary.md#logit-lens)** (nostalgebraist 2020). Write a function that takes the vectors after a
# layer (tokens × width) and returns the logits (tokens × vocabulary), with the two parts below.

# %%
norm = model.module.transformer.ln_f
to_tokens = model.module.lm_head
with torch.no_grad():
    states = model.module(torch.tensor([seen.ids]), output_hidden_states=True).hidden_states
print(f"{len(states)} states: the embeddings, and one after each of {model.layers} layers")


# %% exercise="10.2"
def logits_after(vectors):
    return ...


# %%
with exercise("10.2", logits_after) as answer:
    with torch.no_grad():
        got = torch.as_tensor(answer(states[2][0]))
    wanted = seen.logits[2]
    assert got.shape == wanted.shape, (
        f"The result should be tokens × vocabulary, {tuple(wanted.shape)}, not {tuple(got.shape)}."
    )
    assert (got.sum(-1) - 1).abs().max() > 1e-3, (
        "These are probabilities. Return the logits themselves."
    )
    error = float((got - wanted).abs().max())
    assert error < 1e-2, (
        f"You are up to {error:.1f} away. Have the vectors gone through the norm, once, before the matrix?"
    )

# %% [markdown]
# There is a trap for those who go on alone: the *last* of these states has been through the norm
# already. Norm it again, and your last row is not what the model says.

# %%
with torch.no_grad():
    from_last = to_tokens(states[-1][0])
claim(
    "from the last state, the matrix alone gives the model's logits",
    (from_last - seen.logits[-1]).abs().max() < 1e-2,
)

# %% [markdown]
# ## Watching tokens
#
# You can also follow tokens of your choice through the layers. After "The king and the queen, the
# king and the", what will the model say: " queen", " king" again, or something else? We watch " king",
# the second token of the text, and beside it whatever the model says in the end. (The shipped model has no
# token " queen": it reads it in pieces.)

# %%
court = course.lens(model, "The king and the queen, the king and the")
watched = court.watch([court.ids[1], court.top(k=1)[0].number])
print(watched)
course.watch_view(watched, positions=range(len(court.tokens) - 5, len(court.tokens)))

# %% [markdown]
# **What to look at.** Follow ␣king from top to bottom. In the shipped model it is first after
# layer 1 and layer 2: "the" was followed by " king" before. The last layer takes it back, and at
# the end "ir" is first, which makes "their". So a token that ranks high in the middle need not be
# what the model says. What a layer finds, later layers can use, change or drop.

# %%
if PROFILE == "shipped":
    king, ir = watched.ranks[:, -1].T
    claim(
        '" king" is first after layers 1 and 2, and not at the end',
        king[2] == king[3] == 1 < king[4],
    )
    claim('at the end "ir" is first', ir[4] == 1)
    claim('" queen" is read in pieces', "Ġqueen" not in court.tokens.pieces)

# %% [markdown]
# ## Who looks it up?
#
# The model copied a name that it had read once or twice. To study copying alone, take away all
# that can be known by heart: random tokens, and then the same ones again. In the second copy, and
# only there, each token can be predicted. How many will it get right?

# %%
draw = torch.Generator().manual_seed(7)
size, length = model.module.config.vocab_size, 25
once = torch.randint(1, size, (10, length), generator=draw)
twice = once.repeat(1, 2)


def copied():
    """The share of tokens of the second copy that the model predicts rightly, but for its first."""
    with torch.no_grad():
        guesses = model.module(twice).logits.argmax(-1)
    return float((guesses[:, length:-1] == twice[:, length + 1 :]).float().mean())


whole = copied()
print(
    f"{whole:.1%} of the second copy is predicted rightly; a blind guess is right once in {size:,}"
)
if PROFILE == "shipped":
    claim("it predicts more than nine in ten tokens of the second copy", whole > 0.9)

# %% [markdown]
# How would a head have to look to do that? The text was … z **om** …, and now the model stands on a second
# "z". It should look at the token that *followed* the first "z", which is "om", and say that. A head that
# does so is called an **[induction head](glossary.md#induction-head)** (Elhage and colleagues 2021).
#
# ### Exercise 10.3: write the measure
#
# A head reads n tokens twice over; its weights are 2n × 2n, one row per query. Write a function
# that returns its mean weight, over the n tokens of the second copy, on the token that followed
# the same token in the first. With three tokens, a b c a b c: row 3 is the second "a", and should
# look at column 1, the first "b". Draw the table before you write.


# %% exercise="10.3"
def induction(weights):
    return ...


# %%
with exercise("10.3", induction) as answer:
    tokens = torch.arange(6)
    perfect = torch.zeros(6, 6)
    perfect[tokens, [0, 0, 1, 1, 2, 3]] = 1  # row 3 is the first of the second copy
    same = torch.zeros(6, 6)
    same[tokens, [0, 1, 2, 0, 1, 2]] = 1
    before = torch.zeros(6, 6)
    before[tokens, [0, 0, 1, 2, 3, 4]] = 1
    lazy = perfect.clone()
    lazy[5] = 0  # its last row looks nowhere
    got, other, back, less = (float(answer(table)) for table in (perfect, same, before, lazy))
    assert other == 0, (
        "You measure the weight on the earlier copy of the token itself. Go one token further."
    )
    assert back == 0, (
        "A head that looks at the token before gets a score. Look back by n − 1 tokens."
    )
    assert abs(got - 0.75) > 1e-6, (
        "You took n + 1 rows. The last token of the first copy has no earlier copy: leave it out."
    )
    assert abs(got - 0.5) > 1e-6, (
        "You divided by all rows. Take the mean over the second copy alone."
    )
    assert abs(got - 1) < 1e-6, f"For a perfect induction head you get {got:.2f}. It should be 1."
    assert abs(less - 2 / 3) < 1e-6, "You left a row out. All n tokens of the second copy count."

# %% [markdown]
# The library measures all heads at once, over twenty stretches of random tokens:

# %%
scores = course.induction_scores(model, sequences=20)
course.induction_view(scores)

# %% [markdown]
# **What to look at.** In the shipped model one whole row is dark: layer 1, where the lens saw the
# name appear. (That is a lot. Its makers brought this about on purpose, with random tokens that
# repeat, among what it learnt from. It does not show that reading plays makes such heads.) The
# second table, *Previous token*, has one dark cell. Remember where.

# %%
by_score = scores.mean("induction").flatten().sort(descending=True).indices[:4].tolist()
strong = [divmod(number, model.heads) for number in by_score]
print(scores)
print(f"the four strongest induction heads: {strong}")
if PROFILE == "shipped":
    table = scores.mean("induction")
    claim("all four heads of layer 1 are induction heads, over 0.7", table[1].min() > 0.7)
    claim("no other head has more than 0.05", table[[0, 2, 3]].max() < 0.05)
    claim("one head looks at the token before", (scores.mean("previous") > 0.5).sum() == 1)

# %% [markdown]
# What will the strongest head look at from the last "z" of our text?

# %%
att = course.attend(model, text)
layer, head = strong[0]
course.head_view(att, layer=layer, heads=[head])

# %% [markdown]
# **What to look at.** Put the pointer on the last "z", on the left: its lines go to "om", twice.
# From "om" they go to "ar". Each token looks at what came *next* the last times. Where there was
# no last time, as in "wherefore", the lines close in a fan on the first token: the head rests
# there, as the fans of lesson 02 do on [CLS].

# %%
last = len(course.attend(model, text[:-4]).tokens) - 1  # of "… Bunz": where the model stands
row = att.head(layer, head)[last]
most = row.sort(descending=True).indices[:3].tolist()
print(
    f"{att.tokens.texts[last]} looks at",
    [f"{att.tokens.texts[i]} ({i}) {row[i]:.2f}" for i in most],
)
if PROFILE == "shipped":
    claim('"z" puts over 0.9 of its attention on the two "om"', row[[5, 12]].sum() > 0.9)
    claim(
        'from "wherefore", more than half goes to the first token',
        att.head(layer, head)[15:19, 0].min() > 0.5,
    )

# %% [markdown]
# ## Without it
#
# A picture and a score say where a head looks. They do not prove that the model copies *because* of it.
# [Take the head out](glossary.md#ablation) and see: `course.ablated` replaces what a head says by zeros.
# How much copying will be left without the strongest induction head? And without two, three, four?

# %%
left = []
for count in range(1, 5):
    with course.ablated(model, strong[:count]):
        left.append(copied())
print(f"with all heads: {whole:.1%}")
print("\n".join(f"without {strong[: i + 1]}: {share:.1%}" for i, share in enumerate(left)))
if PROFILE == "shipped":
    claim(
        "without the strongest induction head less than three points are lost",
        left[0] > whole - 0.03,
    )
    claim("without all four, less than two in a hundred are right", left[3] < 0.02)

# %% [markdown]
# If you had stopped after the first line, you would have written: "this head does nothing". It
# does the same as its neighbours, and they make up for it. **A head that can be taken out without
# loss may be one of several.**
#
# And "without loss" is true of these random tokens. What of the name? `prompt` stops at the last
# "z":

# %%
prompt = text[:-4]
target = course.lens(model, prompt).top(k=1)[0]


def sure(of=prompt):
    """The probability of the token that the model finds most probable after `prompt`."""
    return float(course.lens(model, of).probabilities([target.number])[-1, -1, 0])


with course.ablated(model, strong[:1]):
    without_one = sure()
print(f"after {prompt!r}: {target}")
print(f"without the strongest induction head: {without_one:.3f}")
if PROFILE == "shipped":
    claim(
        "on the name, the loss of the strongest head alone is large",
        without_one < 0.2 < 0.6 < sure(),
    )

# %% [markdown]
# On the random tokens, the three other heads were enough. On this name they are not. What a head
# is worth depends on what you ask for.
#
# ### Exercise 10.4: the head that they need
#
# In the shipped model, no single induction head is needed on random tokens. But there is *one*
# head in another layer without which nearly nothing is copied. Find it: take out each head of the
# model alone, and call `copied()`. Answer with `(layer, head)`. (Of another model nobody knows whether
# it has such a head: the check says what is copied without yours.)

# %% exercise="10.4"
needed = ...

# %%
with exercise("10.4", needed) as found:
    assert isinstance(found, (tuple, list)) and len(found) == 2, (
        "Answer with a pair: (layer, head)."
    )
    found = tuple(int(number) for number in found)
    assert found not in strong, (
        "This is one of the four induction heads. Search in the other layers."
    )
    with course.ablated(model, [found]):
        after = copied()
    print(f"without layer {found[0]} head {found[1]} {after:.1%} is copied, with it {whole:.1%}")
    rest = []
    for rival in strong if PROFILE == "shipped" else []:
        with course.ablated(model, [rival]):
            rest.append(copied())
    assert not rest or (after < min(rest) and after < whole - 0.1), (
        f"Without this head the model still copies {after:.0%}. "
        "Loop over all layers and heads, and keep what copied() gives for each."
    )

# %% [markdown]
# This head has an induction score near 0. Why is it needed? Remember the dark cell in the second
# table.

# %%
helper = scores.strongest("previous")
with course.ablated(model, [helper]):
    alone = copied()
    blind = course.induction_scores(model, sequences=20)
print(f"head {helper} puts {scores.mean('previous')[helper]:.3f} on the token before")
print(
    f"without it {alone:.1%} is copied, and the strongest induction head falls to {blind.best()[0]:.3f}"
)
if PROFILE == "shipped":
    claim("without the previous-token head less than 5 % is copied", alone < 0.05)
    claim("without it no head has an induction score over 0.05", blind.best()[0] < 0.05)

# %% [markdown]
# An induction head on "z" searches for a place *that comes after a "z"*. But "om" does not know what stood
# before it, unless someone has told it. That is what the [previous-token
# head](glossary.md#previous-token-head) in the layer below does: it writes onto each token which token came
# before. Then the induction head finds "om" by this note. For copying, neither is of use alone. Olsson and
# colleagues (2022) found such heads in models of many sizes, and showed that they form early in training.
#
# ## What did it come from?
#
# Another way to ask is to let the model write, and to attribute each token that it writes to the
# tokens before it. Here this is done by [integrated gradients](glossary.md#integrated-gradients) (lesson
# 08): all tokens are turned up slowly, from an average token to themselves, and each gets its share of what
# this does to the probability. Which tokens should "om" have come from?

# %%
steps = 1024 if PROFILE == "shipped" else 64
written = course.generate(
    model, prompt, 2, method="integrated_gradients", of="probability", most_steps=steps
)
course.generation_view(written)

# %% [markdown]
# **What to look at.** Orange raises the probability, blue lowers it. The two "om" are there, and
# the "z" that the model stands on. So far it fits what the heads do. But the earlier two "z" are
# *blue*, as if the model would do better without them. By what you know of induction heads, they
# are how "om" was found. Which is right, the picture or the mechanism?

# %%
first = written[0].attribution
print(written)
if PROFILE == "shipped":
    value = first.values
    claim(
        'the last "z" and both "om" have the largest values',
        {26, 5, 12} == set(value.argsort()[-3:].tolist()),
    )
    claim('the two earlier "z" have values below 0', value[[4, 11]].max() < 0)

# %% [markdown]
# ### Exercise 10.5: is it to blame?
#
# Settle it with an experiment. Answer with a text like `prompt`, in which neither of the first
# two names has "z" before "om". Leave everything else as it is, above all the last "Bunz". Before
# you run the check: if the picture is right, what will happen to the probability of "om"?

# %% exercise="10.5"
without_z = ...

# %%
with exercise("10.5", without_z) as changed:
    assert isinstance(changed, str) and changed.endswith(prompt[-23:]), (
        f"Keep the end as it is: {prompt[-23:]!r}. It is the place that the model stands on."
    )
    start = changed[: -len("Bunz")]
    assert "z" not in start, (
        'There is still a "z" in one of the first two names. One copy is enough to copy from.'
    )
    assert start.count("om") == 2, (
        'Keep "om" in both names: without it you test another token. Exchange the letter before it.'
    )
    print(f"probability before {sure():.3f}, and now {sure(changed):.3f}")
    if PROFILE == "shipped":
        assert sure(changed) < 0.05, (
            "It is still copied. Print course.lens(model, without_z).tokens.texts."
        )

# %% [markdown]
# Three experiments, to see why the picture went wrong:

# %%
one_left = sure(prompt.replace("Bunzomar", "Bunxomar", 1))
none_left = sure(prompt.replace("Bunzomar", "Bunxomar"))
renamed = sure(prompt.replace("Bunzomar", "Vilzomar"))
print(f'{target.text!r} with one "z" changed: {one_left:.3f}, with both: {none_left:.3f}')
print(f"{target.text!r} with another beginning of both names: {renamed:.3f}")
if PROFILE == "shipped":
    claim("with one z left, more than half of the probability stays", one_left > sure() / 2)
    claim("with none left, less than a hundredth", none_left < sure() / 100)
    claim("with another beginning, more than half stays", renamed > sure() / 2)

# %% [markdown]
# Each earlier "z" can stand in for the other: without one, more than half of the probability
# stays; without both, none does. No list with one number for each token can say that. It is the
# same trap as with the four heads. And the beginning of the name hardly counts: these heads look
# one token back, and no further. **An attribution is a hypothesis. An experiment decides it.**
#
# ## Neurons in groups
#
# The other half of each layer has not come up yet: after the heads there is a small network of
# [neurons](glossary.md#neuron). How active is each, at each token? That is a large table, and *factors* sum
# it up: a few groups of neurons, each with one strength per token (Alammar 2021). Here is a scene. What
# would you group?

# %%
scene = (
    "KING HENRY:\nWhat news, my lord?\n\nWARWICK:\nThe queen is come, and with her twenty thousand men."
    "\n\nKING HENRY:\nThen let us go."
)
activity = course.neurons(model, scene)
factors = activity.factors(6)
positions = range(min(40, len(activity.tokens)))
course.factors_view(factors, positions=positions)

# %% [markdown]
# **What to look at.** One row a factor, one column a token. ␣ is a space or the end of a line:
# the shipped model has a group of neurons for each of the two, and one for colons. Nobody has
# told it what these are.

# %%
print(activity)
print(factors)
names = [i for i, token in enumerate(activity.tokens) if token.isupper()]
if PROFILE == "shipped":
    pieces = activity.tokens.pieces

    def at_top(factor, piece):
        return all(pieces[at.position] == piece for at in factors.top(factor, 3))

    claim("factor 0 is strongest at the colons after names", at_top(0, ":"))
    claim("factor 2 is strongest at line breaks (Ċ)", at_top(2, "Ċ"))
    claim("factor 3 is strongest at spaces that stand alone (Ġ)", at_top(3, "Ġ"))

# %% [markdown]
# ### Exercise 10.6: give a factor its name
#
# Which factor is "the names of those who speak", the tokens in capitals? `names` holds their
# positions and `factors.weights` is factors × tokens. Do not trust the few tokens at the top:
# take the factor with the largest *share* of its weight on these tokens. Answer with its number.

# %% exercise="10.6"
of_names = ...

# %%
with exercise("10.6", of_names) as number:
    number = int(number)
    assert 0 <= number < len(factors), (
        f"Answer with the number of a factor, 0 to {len(factors) - 1}."
    )
    share = factors.weights[:, names].sum(1) / factors.weights.sum(1)
    even = len(names) / len(activity.tokens)
    assert share[number] > even, (
        f"Only {share[number]:.0%} of this factor is on the names, which are {even:.0%} of all tokens."
    )
    assert share[number] == share.max(), (
        f"{share[number]:.0%} of this factor is on the names. Another has a larger share."
    )

# %% [markdown]
# Before you trust such a name, look at three things. How much of the activity is in the
# factors at all? How much had to be left out before, because a factor knows no numbers below 0?
# And would the same factor be there if you had asked for four?

# %%
print(factors.account)
fewer = activity.factors(4)
one, other = (each.patterns.flatten(1) for each in (factors, fewer))
alike = (one @ other.T).max(1).values
print(
    "likeness of each to the nearest of four (1 is the same):", [f"{value:.2f}" for value in alike]
)
if PROFILE == "shipped":
    claim("what is missing is more than three quarters of the size of all", factors.error > 0.75)
    claim("some of the six are there among four: likeness over 0.95", (alike > 0.95).any())
    claim("others are not: likeness below 0.65", (alike < 0.65).any())

# %% [markdown]
# The picture is clear, and it shows the smaller part. What is true of a factor is true of this
# text, this number of factors, and the activity that is in them.
#
# ### Exercise 10.7: your own text
#
# Write a text with a name in it twice, and stop within the second. Answer with the `Lens`. Does
# layer 1 find the rest of the name? If not, print the tokens. Romeo himself is not found, for
# example:

# %%
romeo = course.lens(model, "O Romeo, Romeo! wherefore art thou Rom")
print(" ".join(romeo.tokens.texts), "→", romeo.top(k=1)[0])
if PROFILE == "shipped":
    claim(
        "Rom ends in a token that Romeo does not have",
        romeo.tokens.texts[-1] not in romeo.tokens.texts[:-1],
    )

# %% exercise="10.7" open=true
mine = ...

# %%
with exercise("10.7", mine) as own:
    assert isinstance(own, course.Lens), "Answer with what course.lens(model, …) returns."
    print(own)

# %% [markdown]
# ## What you have seen
#
# - The logit lens is the model's own last norm and last matrix, used after every layer. What it
#   shows in the middle can be dropped later.
# - Induction heads look at what followed last time. In the shipped model they need a previous-token head in
#   the layer below.
# - Taking out one of several may change little, and so may changing one of two tokens. Take out
#   all of them.
# - An attribution painted two tokens as if they stood in the way. Without both, nothing was copied: only an
#   experiment could tell.
# - Factors group neurons, and leave most of the activity out.
#
# **Read next.** nostalgebraist 2020, *interpreting GPT: the logit lens* (an essay on LessWrong). Belrose and
# colleagues 2023, *Eliciting Latent Predictions from Transformers with the Tuned Lens* (arXiv 2303.08112).
# Elhage and colleagues 2021, *A Mathematical Framework for Transformer Circuits*
# (transformer-circuits.pub/2021/framework). Olsson and colleagues 2022, *In-context Learning and Induction
# Heads* (arXiv 2209.11895). Alammar 2021, *Ecco: An Open Source Library for the Explainability of Transformer
# Language Models* (doi 10.18653/v1/2021.acl-demo.30). Bastings and Filippova 2020, *The elephant in the
# interpretability room: Why use attention as explanation when we have saliency methods?* (arXiv 2010.05607).
