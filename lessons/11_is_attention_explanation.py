# ---
# title: Is attention an explanation?
# minutes: 75
# objectives:
#   - grade an explanation against words that are known to matter (11.1, 11.2, 11.3)
#   - follow attention down through the layers, and say why the last layer alone misleads (11.4)
#   - tell a head that points at the right words from a head that the model needs (11.5)
#   - test by intervention whether predictions rest on attention, as the papers of the debate did (11.6, 11.7)
# prerequisites: [02_head_and_model_view, 08_attributions]
# roles: [planted, sentiment]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import textwrap
from dataclasses import replace

import torch

import course
from course import claim, exercise, measures
from course.planted import BAD, GOOD, NEGATORS, RULE, generate, truth

model = course.load("planted", device="cpu")  # the course's own on every profile: the hub has none
sentence = "the happy child met the old sailor but the merry singer was kind"
attention = course.attribute(model, sentence, method="attention")
course.attribution_view(attention)

# %% [markdown]
# A small model has read this sentence and called it *good*. The picture shows where it looked: the
# attention of its last layer, the mean over all heads, from [[CLS]](glossary.md#cls-and-sep), the token
# that the label is read from. Pictures like this one are printed in many papers, with the words "the model
# attends to …".
#
# **What to look at.** The stronger the colour of a word, the more attention it gets. Judging by the
# picture: on which word does the label rest?
#
# Usually nobody can tell whether such a picture is [right](glossary.md#faithful). Here we can. The model
# was trained on sentences of a little language with a rule that the authors of this course made up. (This
# model is the same whatever `PROFILE` says; the model of film reviews, further below, is not.)

# %%
print(textwrap.fill(RULE, 90))
print(course.rank(model, sentence))

# %% [markdown]
# ### Exercise 11.1: predict, then check
#
# Under this rule, which words of the next sentence decide? Answer with a list of words, such as
# `["old"]`.

# %%
another = "this gloomy farmer met the cat but the young doctor was not cruel on sunday"

# %% exercise="11.1"
deciding = ...

# %%
with exercise("11.1", deciding) as words:
    known = truth(another)
    right = {known.words[i] for i in known.matters}
    feeling = [word for word in known.words if word in GOOD + BAD]
    assert not isinstance(words, str), "Answer with a list of words, even if it is one."
    assert feeling[0] not in words, "The rule reads the last feeling word only."
    missing = right - set(words)
    assert not missing or not missing <= set(NEGATORS), (
        "Look at the word directly before the feeling word."
    )
    assert set(words) == right, "Read the rule again: one kind of word decides, another turns it."

# %% [markdown]
# ## One sentence
#
# In the first sentence the rule reads one word, "kind". Here is what four methods put first:
# attention and the three that you met in lesson 08.

# %%
METHODS = ("integrated_gradients", "occlusion", "gradient_x_input", "attention")
for method in METHODS:
    one = course.attribute(model, sentence, method=method)
    print(f"{method:20}", *one.strongest(3), sep="  ")
known = truth(sentence)
favourite = attention.strongest(1)[0]
claim("the rule reads one word, “kind”", [known.words[i] for i in known.matters] == ["kind"])
claim(
    "most of the attention is on “was”, which means nothing here",
    favourite.text == "was" and favourite.value > 0.5,
)
covered = course.attribute(model, sentence, method="occlusion").strongest(1)[0]
claim(
    "occlusion names “kind”, with a value near 0",
    covered.text == "kind" and abs(covered.value) < 0.1,
)

# %% [markdown]
# Attention names the wrong word. Is that bad luck with one sentence? (Occlusion names the right one, but with
# a value near 0. Keep that in mind until exercise 11.3.)
#
# ## A grade
#
# To grade an explanation, rank the words by the size of their values. Take one word that matters and one
# that does not: which of them is ranked higher? The share of such pairs that are in the right order is the
# **[area under the ROC curve](glossary.md#roc-curve)**: 1 is perfect, and an order drawn at random has 0.5.
#
# ### Exercise 11.2: write the grade
#
# Write a function that takes a list of values and a list of the same length that says of each
# whether it matters (True or False), and returns the area. Compare *sizes*: a word that speaks
# against a label matters, too. Where two sizes are equal the pair counts half.


# %% exercise="11.2"
def area(values, matters):
    return ...


# %%
with exercise("11.2", area) as answer:
    got = answer([0.9, 0.1, 0.5], [True, False, False])
    assert got != 0, "The best of all orders gets 0. Is the comparison the wrong way round?"
    assert got != 2, (
        "That is the number of pairs in the right order. Divide by the number of pairs."
    )
    assert got == 1, f"The word that matters has the largest value: the area is 1, not {got}."
    signed = answer([-0.9, 0.1, 0.5], [True, False, False])
    assert signed == 1, "−0.9 is far from 0: compare sizes, with abs()."
    tied = answer([0.2, 0.2, 0.2], [True, False, False])
    assert tied == 0.5, f"With all values alike nothing is known, and the area is 0.5, not {tied}."
    mixed = answer([0.5, 0.9, 0.7, 0.1], [True, True, False, False])
    assert mixed == 0.75, (
        f"Two words matter, two do not: 3 of the 4 pairs are right, not {mixed:.2f}."
    )

# %% [markdown]
# The course has this grade, with two others: `course.grade(attribution, truth)`. A bad grade is the
# explanation's fault only if the model follows the rule. So look at that first, in new sentences:


# %%
def accuracy(some):
    inputs = model.tokenizer([one.sentence for one in some], return_tensors="pt", padding=True)
    with torch.no_grad():
        said = model.module(**inputs).logits.argmax(-1).tolist()
    return sum(model.labels[i] == one.label for i, one in zip(said, some, strict=True)) / len(some)


every = [one for one in generate(200, seed=1) if one.matters]
print(f"{accuracy(every):.1%} of {len(every)} sentences are right")
claim("the model follows the rule in these sentences", accuracy(every) > 0.99)

# %% [markdown]
# Now grade the four methods on 40 of them. Which do you expect to win?

# %%
sentences = every[:40]
explained = {
    method: [course.attribute(model, one.sentence, method=method) for one in sentences]
    for method in METHODS
}
areas = {}
for method, found in explained.items():
    grades = [
        course.grade(one, known, draws=100) for one, known in zip(found, sentences, strict=True)
    ]
    areas[method] = course.mean_grade(grades).means["area"]
    print(f"{method:20} {areas[method]}")
claim(
    "integrated gradients and occlusion find nearly every word that matters: over 0.98",
    min(areas["integrated_gradients"].mean, areas["occlusion"].mean) > 0.98,
)
claim("attention is far better than chance …", areas["attention"].low > 0.7)
claim("… and worse than both of them", areas["attention"].high < 0.95)
claim(
    "gradient × input is no better: their intervals overlap",
    areas["gradient_x_input"].low < areas["attention"].high,
)

# %% [markdown]
# **What to look at.** The brackets say how far the mean might be off for other sentences (95 times
# of 100 it lies within). Attention is no nonsense: it is far above 0.5. It is also not what you would
# want to rely on. And not every method with a gradient in its name is better.
#
# ## A trap: agreement
#
# Without known truth, one can still ask whether attention *agrees* with another method. Jain and Wallace
# (2019) did: they compared the order of words under attention and under gradients, found that they agree
# little, and concluded that *attention is not explanation*. Try it here. [Kendall's
# tau](glossary.md#kendalls-tau) is 1 for the same order, 0 for orders that have nothing to do with each
# other.

# %%
reference = explained["integrated_gradients"]
taus = {}
for method in METHODS[1:]:
    taus[method] = course.rank_agreement(reference, explained[method], absolute=True).interval
    print(f"integrated gradients and {method}: tau {taus[method]}")
idle = 1 - sum(len(one.matters) for one in sentences) / sum(len(one.words) for one in sentences)
print(f"{idle:.0%} of the words do not matter")
claim(
    "two explanations that both find the truth agree little: tau below 0.5",
    taus["occlusion"].high < 0.5,
)
claim(
    "hardly more than with attention: their intervals overlap",
    taus["occlusion"].low < taus["attention"].high,
)
claim("more than four of five words do not matter", idle > 0.8)

# %% [markdown]
# Low agreement with attention, then. But look at [occlusion](glossary.md#occlusion): it finds the truth,
# integrated gradients finds the truth, and the two agree hardly better. How can that be? Most words do not
# matter, so tau counts mostly in which order the words stand that do not matter. Low agreement alone is no
# evidence against either side.
#
# ### Exercise 11.3: where occlusion fails
#
# No method is safe. In the first sentence of this lesson the rule reads "kind", and occlusion gave it next to
# nothing. Occlusion replaces one word at a time: why did that fail? Use your answer to build another
# sentence in which some word *matters*, and its value under occlusion is less than a tenth of its value under
# integrated gradients. Words you can use:

# %%
print("good:", *GOOD)
print("bad: ", *BAD)
print("also:", *NEGATORS, "the dog cat baker sailor river saw met was near and but")

# %% exercise="11.3"
doubled = ...

# %%
with exercise("11.3", doubled) as text:
    assert text != sentence, "That is the first sentence. Build one of your own."
    known = truth(text)
    assert known.matters, "No word of this sentence is read by the rule. Use a feeling word."
    spare = [i for i in known.matters if i not in known.decisive]
    assert spare, (
        f"Without “{known.words[known.matters[-1]]}” this would no longer be {known.label}. What would have to "
        "stand in the sentence so that the label stays?"
    )
    sizes = {}
    for method in ("occlusion", "integrated_gradients"):
        one = course.attribute(model, text, method=method, target=known.label)
        sizes[method] = one.values[[i + 1 for i in spare]].abs()  # + 1 for [CLS]
        print(method, *one.strongest(3), sep="  ")
    assert (sizes["occlusion"] < sizes["integrated_gradients"] / 10).any(), (
        "By the rule this should do, but the model still misses the word a little. Try a shorter sentence."
    )

# %% [markdown]
# ## Why "was"?
#
# Back to the first sentence. Why does the last layer look at "was"? Look at the layer before it.

# %%
att = course.attend(model, sentence)
course.head_view(att, layer=0, heads=[0])

# %% [markdown]
# **What to look at.** Find "was" on the left. In layer 0 this head makes it look at one word, and
# most other tokens, too. So before the last layer reads anything, the vector at the place of "was"
# has been mixed with that of another word. Is it still "was"?

# %%
was, kind = sentence.split().index("was") + 1, sentence.split().index("kind") + 1
on_kind = att.head(0, 0)[:, kind]
print(f"layer 0, head 0: “was” puts {float(on_kind[was]):.2f} of its attention on “kind”")
print(f"{int((on_kind > 0.5).sum())} of {len(on_kind)} tokens put more than half of theirs there")
print(
    f"last layer: [CLS] puts {float(att.weights[-1].mean(0)[0, was]):.2f} on “was”, mean over heads"
)
claim("in layer 0 a head makes “was” look at “kind” with over 0.9", on_kind[was] > 0.9)
claim("most tokens look there, with more than half", (on_kind > 0.5).double().mean() > 0.5)

# %% [markdown]
# A look at "was" in the last layer can thus be a look at "kind". The weights of a layer are weights
# on *places*, and above the first layer a place no longer holds its word alone. The remedy is to
# follow attention all the way down. Abnar and Zuidema (2020) do it with one product for each layer;
# they call it **[rollout](glossary.md#rollout)**.
#
# ### Exercise 11.4: follow it down
#
# Write rollout for two layers. `lower` and `upper` are the attention of two layers, mean over heads
# (queries × keys). Every token also keeps its own vector (the residual connection): take half of
# each layer's table and half of `torch.eye(n)`. Then multiply the tables so that row i says from
# which words place i of the *upper* layer has come. (If you wrote it in lesson 09, use that.)


# %% exercise="11.4"
def follow(lower, upper):
    return ...


# %%
with exercise("11.4", follow) as answer:
    low = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    high = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    got = torch.as_tensor(answer(low, high)).float()
    assert got.shape == (3, 3), f"Three tokens make a 3 × 3 table, not {tuple(got.shape)}."
    assert torch.allclose(got.sum(-1), torch.ones(3)), (
        f"Each row is made of shares and sums to 1, but yours sum to {got.sum(-1).tolist()}. "
        "Half of the attention and half of torch.eye(3) make a table whose rows sum to 1."
    )
    assert got[0, 0] != 0, "Without the residual connection the first token has forgotten itself."
    assert got[0].tolist() != [0.5, 0.5, 0.0], (
        "The order of the product: the upper layer reads what the lower made."
    )
    assert torch.allclose(got[0], torch.tensor([0.5, 0.25, 0.25])), (
        "Place 0 keeps half of itself; the other half is place 1, which is half word 1, half word 2."
    )
    own = torch.as_tensor(answer(att.weights[0].mean(0), att.weights[1].mean(0)))
    error = (own - measures.rollout(att).head(1, 0)).abs().max()
    assert error < 1e-5, (
        f"The small case is right, but you are {error:.2g} away from measures.rollout."
    )

# %%
followed = [
    replace(one, values=measures.rollout(course.attend(model, known.sentence)).head(1, 0)[0])
    for one, known in zip(explained["attention"], sentences, strict=True)
]
grades = [
    course.grade(one, known, draws=100) for one, known in zip(followed, sentences, strict=True)
]
rolled = course.mean_grade(grades).means["area"]
print(f"attention of the last layer {areas['attention']}")
print(f"attention followed down     {rolled}")
claim("followed down, attention finds every word that matters: over 0.99", rolled.mean > 0.99)

# %% [markdown]
# The same weights, read otherwise, are as good as any method here. "Attention fails" was too quick:
# *the last layer, read as if its places were words*, fails.
#
# But this model has only two layers, and each row of rollout is a mix of the rows of the layer below.
# What do you expect of six layers? Here is a model that judges film reviews, from lesson 08, and the
# greatest distance between any two rows, layer by layer. (1: what one row has, the other has not. 0:
# they are the same.)

# %%
reviews = course.load("sentiment", profile=PROFILE)
review = course.attend(reviews, "the jokes are stale and the acting is wooden")
rows = measures.rollout(review).weights[:, 0]
apart = [float(torch.cdist(layer, layer, p=1).max() / 2) for layer in rows]
print("from the first layer to the last:", *(f"{distance:.2f}" for distance in apart))
claim("layer by layer the rows become more alike", apart == sorted(apart, reverse=True))
if PROFILE == "shipped":
    claim("at the end, any two rows share more than 85 %", apart[-1] < 0.15)

# %% [markdown]
# At the end it makes no difference where one starts: [CLS] and "wooden" have the same row, or nearly.
# Mixtures of mixtures become one mixture, whatever the model does. The deeper a model, the less rollout
# says.
#
# ## Pointing is not being needed
#
# A head can look at the right words, and the model may not use what it says. Here is how well each
# head points, alone, from [CLS]:

# %%
places = [(layer, head) for layer in range(att.layers) for head in range(att.heads)]
pointing = torch.zeros(len(sentences), att.layers, att.heads)
for row, (one, known) in enumerate(zip(explained["attention"], sentences, strict=True)):
    weights = course.attend(model, known.sentence).weights
    for place in places:
        alone = replace(one, values=weights[place][0])
        pointing[row][place] = course.grade(alone, known, draws=100).area
points = pointing.mean(0)
for layer, row in enumerate(points.tolist()):
    print(
        f"layer {layer}: " + "  ".join(f"head {head} {value:.2f}" for head, value in enumerate(row))
    )
claim("five of the eight heads point well: over 0.9", int((points > 0.9).sum()) == 5)

# %% [markdown]
# ### Exercise 11.5: find the head that is needed
#
# [Take each head out](glossary.md#ablation) in turn, with `course.ablated`: inside `with
# course.ablated(model, {(layer, head)}):` the head says nothing. `accuracy(every)` is the share of
# sentences that the model gets right. Without which single head does it get the fewest right? Answer with
# `(layer, head)`.

# %% exercise="11.5"
needed = ...

# %%
with exercise("11.5", needed) as found:
    assert isinstance(found, (tuple, list)) and len(found) == 2, "Give a pair (layer, head)."
    found = tuple(int(number) for number in found)
    assert 0 <= found[0] < att.layers and 0 <= found[1] < att.heads, (
        "Layers and heads count from 0."
    )
    without = torch.zeros(att.layers, att.heads)
    for place in places:
        with course.ablated(model, {place}):
            without[place] = accuracy(every)
    assert without[found] < 0.99, (
        f"Without this head the model still gets {without[found]:.1%} right, however well it points."
    )
    worse = int((without < without[found]).sum())
    assert worse == 0, (
        f"Heads that are missed more: {worse}. Without this one {without[found]:.1%} are right."
    )

# %% [markdown]
# What is the head for? Split the sentences: those in which "not" or "never" turns the feeling word
# round, and the others. (The heads stand below by how well they point, without their names: these are for
# you to find.)

# %%
negated = [one for one in every if len(one.matters) == 2]
others = [one for one in every if len(one.matters) == 1]
kept = {}
for place in places:
    with course.ablated(model, {place}):
        kept[place] = accuracy(negated), accuracy(others)
for place in sorted(places, key=lambda place: -points[place]):
    left = " and ".join(f"{share:.0%}" for share in kept[place])
    print(f"points {points[place]:.2f}; without it {left} of negated and other sentences")
spare = [place for place in places if points[place] > 0.9 and min(kept[place]) > 0.99]
claim(
    "of the heads that point well, two or more can go, one at a time, and nothing is lost",
    len(spare) >= 2,
)
claim("one head costs over a third of the negated sentences", min(kept.values())[0] < 2 / 3)
claim("no head costs more than 2 % of the others", min(share for _, share in kept.values()) > 0.98)

# %% [markdown]
# **What to look at.** Compare how well a head points with what is lost without it. Heads that point
# equally well are missed very differently, and what is missed is one thing: the turning round of a
# feeling word. A grade for pointing does not tell you which head does the work. Removing it does.
# (And no single removal shows what two heads do twice.)
#
# ## Does a prediction rest on attention at all?
#
# Wiegreffe and Pinter (2019) answered Jain and Wallace: before you ask whether attention *explains*,
# ask whether the model *needs* it. Make every head look at all tokens alike, and see which
# predictions stay. What do you expect of our model?

# %%
flat = course.swap_attention(model, [one.sentence for one in sentences])
print(flat)
claim("with even attention not one prediction stays: all become plain", flat.kept.mean == 0)

# %% [markdown]
# This model needs its attention for everything. Now the one that judges film reviews, and twenty
# sentences about films. (*By chance* is how many would stay if the labels that came out were dealt
# out at random.)

# %%
plain = """
a warm and funny film about a family
the acting is superb
an instant classic
I loved every minute of it
a clever script and a wonderful cast
it made me smile
charming, tender and beautifully filmed
the best comedy of the year
what a cast
a thrilling ride from start to finish
a dull and lifeless film
the plot is a mess
boring from beginning to end
the jokes are stale and the acting is wooden
I hated every minute of it
a painful waste of time
the worst comedy of the year
clumsy, loud and empty
it made me sleepy
a sad excuse for a thriller
""".strip().splitlines()
flat_plain = course.swap_attention(reviews, plain)
print(flat_plain)
if PROFILE == "shipped":
    claim("of these twenty, at least 17 predictions stay", flat_plain.kept.mean >= 0.85)

# %% [markdown]
# In the shipped model nearly all survive. Is attention mere decoration in this model, and every picture
# of it idle? Here are twenty other sentences about films. Read them: what do they have in common, and
# what do you expect?

# %%
turned = """
the film is not bad
not a dull moment in it
I was never bored
it is not without charm
there is nothing wrong with this film
you will not regret it
the acting is never wooden
it does not disappoint
I could not stop laughing
hardly a weak scene in it
the film is not good
not a funny moment in it
I was never moved
it is without charm
there is nothing right with this film
you will not enjoy it
it does not surprise
the acting is never convincing
I could not care less
hardly a good scene in it
""".strip().splitlines()

# %%
flat_turned = course.swap_attention(reviews, turned)
print(f"plain:  {flat_plain.kept} stay, by chance {flat_plain.chance:.2f}")
print(f"turned: {flat_turned.kept} stay, by chance {flat_turned.chance:.2f}")
if PROFILE == "shipped":
    claim(
        "where words turn each other round, far fewer stay",
        flat_turned.kept.high < flat_plain.kept.low,
    )
    claim(
        "no more than by chance", flat_turned.kept.low < flat_turned.chance < flat_turned.kept.high
    )

# %% [markdown]
# In these sentences one word acts on another. But the two lists differ in more than that: other
# words, other lengths. You know the word for this from lesson 04: a [confound](glossary.md#confound).
#
# ### Exercise 11.6: explain the surprise with a measurement
#
# Hold everything else fixed. Write at least six pairs (plain, turned) of sentences about films that
# differ in *one word*, such as ("a very good film", "a not good film") but better English. If it is
# the turning that needs attention, at least 80 % of the plain ones should survive even attention,
# and no more than half of the turned ones. Answer with a list of pairs. (Of another model than the shipped
# one nobody knows: the check prints what becomes of your pairs.)

# %% exercise="11.6"
twins = ...

# %%
with exercise("11.6", twins) as pairs:
    assert len({tuple(pair) for pair in pairs}) >= 6, (
        "Give at least six different pairs (plain, turned)."
    )
    for first, second in pairs:
        a, b = first.lower().split(), second.lower().split()
        changed = sum(x != y for x, y in zip(a, b, strict=False)) + abs(len(a) - len(b))
        assert changed == 1, (
            f"{first!r} and {second!r} differ in {changed} words: change exactly one."
        )
    stay = []
    for name, texts in zip(("plain", "turned"), zip(*pairs, strict=True), strict=True):
        found = course.swap_attention(reviews, list(texts))
        stay.append(found.kept.mean)
        print(
            f"{name}:",
            *(f"{one.text}: {one.before} → {one.after}" for one in found.texts),
            sep="\n  ",
        )
    assert stay[0] >= 0.8 or PROFILE != "shipped", (
        f"Only {stay[0]:.0%} of the plain ones survive. Let a strong word decide: superb, awful, boring."
    )
    assert stay[1] <= 0.5 or PROFILE != "shipped", (
        f"{stay[1]:.0%} of the turned ones survive. Does the word that you changed turn another one? See above "
        "which survive: “not” may sound bad by itself, so let it turn a bad word into praise."
    )

# %% [markdown]
# And those turned ones that survive? Have they been understood without attention? Turn eight good words and
# eight bad ones, with the same "not". Which will survive?

# %%
praise = ["good", "great", "superb", "funny", "clever", "charming", "moving", "wonderful"]
blame = ["bad", "boring", "dull", "awful", "stupid", "stale", "wooden", "silly"]
survive = {}
for name, words in (("praise", praise), ("blame", blame)):
    found = course.swap_attention(reviews, [f"the film is not {word}" for word in words])
    survive[name] = found.kept.mean
    print(f"not, before a word of {name}: {found.kept.mean:.0%} survive even attention")
bare = course.swap_attention(reviews, ["the film is", "the film is not"]).texts
for one in bare:
    print(f"{one.text!r} with even attention: {one.after}")
if PROFILE == "shipped":
    claim("before praise all survive", survive["praise"] == 1)
    claim("before blame less than a quarter", survive["blame"] < 0.25)
    claim("“not” by itself turns it negative", [b.after for b in bare] == ["positive", "negative"])

# %% [markdown]
# **What to look at.** The shipped model with even attention takes "not" for one more bad word. So "not good"
# stays *negative* for a wrong reason, and "not bad", which has two bad words, is lost. That a prediction
# survives does not mean that the sentence was understood.
#
# The same model and the same test give two answers. Where a word such as "superb" decides alone, attention
# has nothing to add. Where words act on each other it is needed. "Does the model need attention?"
# has no answer before you say *for what*.
#
# ## Without known truth
#
# Nobody knows the rule of the review model. What is left is **erasure**: [take
# out](glossary.md#deletion-curve) the words in the order of an explanation, and see how fast the prediction
# falls. An order drawn at random falls, too, so draw some. Which curve is lowest?


# %%
def curves(text):
    return [
        course.deletion_curve(reviews, course.attribute(reviews, text, method=method), orders=20)
        for method in ("integrated_gradients", "occlusion", "attention")
    ]


story = curves("The acting is terrible, but the story is great.")
course.curve_view(*story)

# %% [markdown]
# **What to look at.** A line that falls early has found what the prediction rests on. In the notes
# above the lines, *chance* says how often a random order would do as well. Who wins? (At the right end
# nothing is left, so all lines meet. What the model says of an empty text is no zero: erased texts are
# none that it was trained on.) Now the same for another sentence:

# %%
jokes = curves("the jokes are stale and the acting is wooden")
course.curve_view(*jokes)

# %%
for name, some in (("story", story), ("jokes", jokes)):
    print(f"{name}: " + ", ".join(f"{one.method} {one.chance:.2f}" for one in some))
if PROFILE == "shipped":
    chance = {
        name: {one.method: one.chance for one in some}
        for name, some in (("story", story), ("jokes", jokes))
    }
    claim(
        "in the first sentence integrated gradients beat chance and attention does not",
        chance["story"]["integrated_gradients"] < 0.05 < 0.3 < chance["story"]["attention"],
    )
    claim(
        "in the second it is the other way round",
        chance["jokes"]["attention"] < 0.05 < 0.1 < chance["jokes"]["integrated_gradients"],
    )
    claim("of an empty text the review model says “positive”", story[0].curve[-1] > 0.5)
    first = jokes[-1]
    claim(
        "without “stale” alone the second is as negative as before; without “wooden”, too, it is not",
        first.removed[:2] == ("stale", "wooden") and first.curve[1] > 0.9 and first.curve[2] < 0.5,
    )

# %% [markdown]
# For the shipped model, the verdict depends on the sentence. Had we shown you one of the two, you would
# have believed it. One picture decides nothing in this debate: use many texts, random orders beside
# them, and truth where you can have it. (Why does occlusion fail in the second? "stale" and "wooden"
# both say it, so neither is missed alone. You built such a sentence in exercise 11.3.)
#
# ## The debate
#
# - **Jain and Wallace 2019** compared the order of words under attention and under gradients, and
#   looked for other weights that give the same prediction. Here: agreement, and its trap.
# - **Serrano and Smith 2019** took attention weights out and watched the decision. They found a noisy
#   guide to what matters, not a reliable one. Here: erasure.
# - **Wiegreffe and Pinter 2019** replied that it depends on what "explanation" means, and proposed
#   tests, with even and with frozen attention among them. Here: even attention.
# - **Abnar and Zuidema 2020** followed attention through the layers. Here: rollout.
# - **Bastings and Filippova 2020** asked what such explanations are for. If it is to know which inputs
#   matter, use a method made for that. Here: grades.
# - **Bibal et al. 2022** introduce the whole debate. Begin there.
#
# The first three worked mostly with recurrent models, in which attention is one step near the end.
# What you measured in transformers adds to theirs, and does not repeat it.
#
# ### Exercise 11.7: your own test
#
# Is there a sentence in which attention beats everything else, or one in which all fail? Make a deletion
# curve of your own, such as `course.deletion_curve(reviews, course.attribute(reviews, "…",
# method="attention"))`, or a grade. This one cannot be wrong.

# %% exercise="11.7" open=true
mine = ...

# %%
with exercise("11.7", mine) as own:
    assert isinstance(own, (course.DeletionCurve, course.Grade)), (
        "Answer with a course.deletion_curve(…) or a course.grade(…)."
    )
    print(own)

# %% [markdown]
# ## What you have seen
#
# - Where the truth is known, explanations can be graded. The last layer's attention does worse than
#   integrated gradients or occlusion, and better than chance.
# - Weights are on places. Followed down through the layers, the same attention found every word.
# - Pointing and being needed are two things: only an intervention tells them apart.
# - A model can need attention for one kind of sentence and not for another. What survives without it may
#   survive for a wrong reason.
# - "Is attention an explanation?" has no answer as long as nobody says of what, and for whom.
#
# **Read next.** Jain and Wallace 2019, *Attention is not Explanation* (arXiv 1902.10186). Serrano and
# Smith 2019, *Is Attention Interpretable?* (arXiv 1906.03731). Wiegreffe and Pinter 2019, *Attention
# is not not Explanation* (arXiv 1908.04626). Abnar and Zuidema 2020, *Quantifying Attention Flow in
# Transformers* (arXiv 2005.00928). Bastings and Filippova 2020, *The elephant in the interpretability
# room: Why use attention as explanation when we have saliency methods?* (arXiv 2010.05607). Bibal,
# Cardon, Alfter, Wilkens, Wang, François and Watrin 2022, *Is Attention Explanation? An Introduction to
# the Debate* (ACL 2022, doi 10.18653/v1/2022.acl-long.269).
