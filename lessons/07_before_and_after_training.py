# ---
# title: Before and after training
# minutes: 80
# objectives:
#   - say which "untrained" model you compare with, and what it knows (7.1)
#   - read a signed picture of what training changed, and say what a positive-only picture hides (7.3, 7.7)
#   - measure what training changed, and compare it with a noise floor (7.2, 7.4)
#   - test whether a change of attention matters for the answers (7.5, 7.6)
# prerequisites: [02_head_and_model_view]
# roles: [sentiment, paraphrase, qa]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import torch

import course
from course import claim, exercise, measures

trained = course.load("sentiment", profile=PROFILE)
negative = "This movie was not really good, I did not enjoy it at all"
positive = "The movie was not bad at all, highly recommend"
given = {text: course.rank(trained, text)["positive"] for text in (negative, positive)}
for text, probability in given.items():
    print(f"positive with {probability:.3f}: {text}")
if PROFILE == "shipped":
    claim("it gets both right", given[negative] < 0.5 < given[positive])

# %% [markdown]
# This model says of a film review whether it is positive or negative. It gets both right, although
# "good" stands in the first and "bad" in the second. (It, and all findings and heads named below, are the
# shipped model's. On another, make the same tests.)
#
# It was made in two steps. First a model was [pre-trained](glossary.md#pre-training) on a great deal of
# text of all kinds. Then a new part was put on top, which turns what the model has read into two labels,
# and everything was [fine-tuned](glossary.md#fine-tuning) on film reviews. Here is the model as it was
# between the two steps, with the part on top still fresh: random numbers.

# %%
before = course.load("sentiment", profile=PROFILE, stage="pretrained")
print(f"{before.role}, {before.stage}, with a fresh part from seed {before.seed}")

# %% [markdown]
# ### Exercise 7.1: predict, then check
#
# Give this model the two reviews above. By how much do its two probabilities of "positive" differ?
# Write down a number from 0 (no difference) to 1 before you rank anything.

# %% exercise="7.1"
difference = ...

# %%
with exercise("7.1", difference) as guess:
    one, two = (course.rank(before, text)["positive"] for text in (negative, positive))
    real = abs(one - two)
    assert 0 <= guess <= 1, "Two probabilities differ by a number from 0 to 1."
    assert guess < 0.6 or real > 0.5, (
        "That is what the trained model does. Who has told this one what 'positive' means?"
    )
    assert abs(guess - real) < 0.1, (
        f"You are {abs(guess - real):.2f} away. It has read much, but the part that turns what it has "
        "read into labels is fresh: random numbers. What does it make of two texts?"
    )

# %% [markdown]
# ## Which model is "untrained"?
#
# The fresh part depends on a [seed](glossary.md#seed). And there is another model that one could call
# untrained: one in which *all* weights are random. Let us look at a few of each.

# %%
reseeded = course.load("sentiment", profile=PROFILE, stage="pretrained", seed=1)
random = [course.load("sentiment", profile=PROFILE, stage="random", seed=seed) for seed in (0, 1)]
gaps = {}
for name, model in (
    ("trained", trained),
    ("pre-trained, seed 0", before),
    ("pre-trained, seed 1", reseeded),
    ("random, seed 0", random[0]),
    ("random, seed 1", random[1]),
):
    one, two = (course.rank(model, text)["positive"] for text in (negative, positive))
    gaps[name] = abs(two - one)
    print(f"{name:>19}: positive with {one:.3f} and {two:.3f}")
claim(
    "no untrained model tells the two reviews apart",
    max(gap for name, gap in gaps.items() if name != "trained") < 0.1,
)
if PROFILE == "shipped":
    claim("the trained one does", gaps["trained"] > 0.5)

# %% [markdown]
# By their answers, the pre-trained and the random models are alike: none of them knows. Inside, one
# has read millions of sentences and the other none. Before you trust a picture "before and after",
# ask: before *what*?
#
# ## What changed inside?
#
# Attention is a table of weights for each head. Take the same text, subtract the table before from
# the table after, and you have what fine-tuning changed.

# %%
att_before, att_after = (course.attend(model, positive) for model in (before, trained))
change = course.diff(att_before, att_after)
print(change)

# %% [markdown]
# The last line but one speaks of **[total variation](glossary.md#total-variation)**. How would you put "how
# much did this head change" into one number? In each row the weights sum to 1, before and after. So count
# how much weight, out of 1, went somewhere else.
#
# ### Exercise 7.2: write the measure
#
# Write a function that takes one head's weights before and after (queries × keys, both) and returns
# the share of weight that went elsewhere, as a mean over the rows: 0 if nothing moved, 1 if all did.


# %% exercise="7.2"
def moved(before, after):
    return ...


# %%
with exercise("7.2", moved) as answer:
    old = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.2, 0.3, 0.5, 0.0], [0.4, 0.4, 0.1, 0.1]])
    new = torch.tensor([[0.4, 0.6, 0.0, 0.0], [0.2, 0.3, 0.5, 0.0], [0.25, 0.25, 0.25, 0.25]])
    got = float(answer(old, new))
    assert abs(got) > 1e-6, "What one key gains another loses: the bare sum is always 0."
    assert abs(got - 0.6) > 1e-6, (
        "You counted all that moved twice, once where it left and once where it came."
    )
    assert abs(got - 0.15) > 1e-6, "Take the sum in each row first, and the mean over rows only."
    assert abs(got - 0.9) > 1e-6, "That is the sum over the rows. Take their mean."
    assert abs(got - 0.25) > 1e-6, (
        "You took the largest change of each row. In the last row two keys rise: count both."
    )
    assert abs(got - 0.3) < 1e-6, (
        f"The rows moved 0.6, 0 and 0.3 of their weight: 0.3 on average, not {got:.3f}."
    )

# %% [markdown]
# ## The picture
#
# Orange is where a weight rose, blue where it fell. What do you expect: a few heads that learnt
# the task, or a little of everything?

# %%
course.diff_view(change)

# %% [markdown]
# **What to look at.** Go down the layers. The last ones have changed the most, and many have a blue
# column under [CLS]: tokens that rested there look elsewhere now. Click on a head to open it, and
# point at a cell to read the weight before and after.

# %%
by_layer = change.total_variation.mean(1)
print("total variation by layer:", " ".join(f"{value:.2f}" for value in by_layer))
on_cls = change.change[-1, :, :, 0].mean()
print(f"last layer, weight on [CLS]: {float(on_cls):+.2f}")
if PROFILE == "shipped":
    still = change.total_variation < 0.01
    claim("one head of 72 stayed as it was: layer 0 head 2", still.nonzero().tolist() == [[0, 2]])
    claim(
        "the last layer changed more than twice as much as the first",
        by_layer[-1] > 2 * by_layer[0],
    )
    claim("in the last layer a fifth of all weight went away from [CLS]", on_cls < -0.2)

# %% [markdown]
# Only one head of the shipped model stayed as it was. You know it from lesson 01: it looks at the token
# before, and it still does.
#
# ## What a positive-only picture hides
#
# Views that are made for weights draw a difference, too, if you feed it to them. They draw what is
# above 0, and nothing where a weight fell. How much of the change is that?

# %%
rises, losses = change.change.clamp_min(0).sum(), -change.change.clamp_max(0).sum()
print(f"all rises {rises:.1f}, all falls {losses:.1f}")
claim("exactly half of the change is falls", abs(rises - losses) < 1e-3)
for kind in ("rises", "falls"):
    print(f"largest {kind}:")
    for most in change.moved(4, only=kind):
        print(f"   layer {most.layer} head {most.head}: {most}")

# %% [markdown]
# Half, always, because each row summed to 1 before and after. But it is worse than half. A weight can
# fall in one place and rise a little in many: then the picture shows a pale nothing, where in truth
# a head has stopped doing what it did.
#
# ### Exercise 7.3: find what is hidden best
#
# Find the row of `change` in which the largest fall exceeds the largest rise by most. `change.change`
# is a table layers × heads × queries × keys. Answer with `(layer, head, query)`, three numbers; the
# query is the place of the token that looks. `torch.unravel_index(number, shape)` splits a number.

# %% exercise="7.3"
hidden = ...

# %%
with exercise("7.3", hidden) as place:
    place = tuple(int(number) for number in place) if hasattr(place, "__len__") else ()
    assert len(place) == 3, "Answer with (layer, head, query)."
    rise, drop = change.change.amax(-1), -change.change.amin(-1)
    assert drop[place] > rise[place], (
        f"In this row the largest rise is {rise[place]:.2f} and the largest fall {drop[place]:.2f}: "
        "a positive-only picture shows the larger one."
    )
    more = int(((drop - rise) > (drop - rise)[place]).sum())
    assert more == 0, (
        f"Here the fall is {drop[place]:.2f} and the largest rise {rise[place]:.2f}. In {more} rows they "
        "are further apart. The largest fall alone is not enough."
    )

# %%
rise, drop = change.change.amax(-1), -change.change.amin(-1)
layer, head, query = torch.unravel_index((drop - rise).argmax(), rise.shape)
row = change.change[layer, head, query]
print(f"layer {layer} head {head}, {change.queries.texts[query]} looks at:")
shifts = [f"{key} {value:+.2f}" for key, value in zip(change.keys, row, strict=True)]
print(" ".join(shifts[: len(shifts) // 2]))
print(" ".join(shifts[len(shifts) // 2 :]))
if PROFILE == "shipped":
    claim("the fall is more than five times the largest rise", -row.min() > 5 * row.max())
    claim("what fell is the weight on [CLS]", row.argmin() == 0)
    claim("no rise in this row is above 0.1", row.max() < 0.1)

# %% [markdown]
# In the shipped model, what happened in this row is one thing: a token stopped looking at [CLS]. A
# positive-only picture shows eleven pale lines instead.
#
# ## Which training did it?
#
# "Before" was the pre-trained model. What if it had been a random one? Here are three stages and
# twelve sentences. The numbers are total variation, one for each layer, then the mean.

# %%
reviews = [
    negative,
    positive,
    "A gorgeous, witty and moving film",
    "The plot is dull and the jokes are old",
    "I would watch it again tomorrow",
    "The actors are wonderful, the story is not",
    "Slow at first, but the ending makes up for it",
    "Nothing in it works",
    "A warm and funny film for the whole family",
    "The camera never finds anything worth looking at",
    "Too long, too loud and far too pleased with itself",
    "The music alone is worth the ticket",
]

# %%
start, end, *fresh = (
    [course.attend(model, text) for text in reviews] for model in (before, trained, *random)
)
stages = course.three_way(fresh, start, end)
print(stages)
if PROFILE == "shipped":
    claim(
        "pre-training moved more than twice as much attention as fine-tuning",
        stages.pretraining.mean.mean() > 2 * stages.fine_tuning.mean.mean(),
    )

# %% [markdown]
# **What to look at.** Compare the second line with the third. Had you taken the random model for
# "untrained", most of what you saw would have been pre-training, and you would have told it as a story
# of film reviews.
#
# ## A noise floor
#
# Nearly every head changed. But would it not have changed in any training? A change is only worth a story
# if it is larger than what changes without the cause. That is a **[noise floor](glossary.md#noise-floor)**.
# Which of these two would you take?
#
# - The difference between two random models: nothing was learnt, and still they differ.
# - What *another* task did to the same pre-trained model. (The course has two: to find paraphrases, and
#   to answer questions from a text, "qa".)


# %%
def changes(earlier, later):
    """What changed between two models, sentence by sentence."""
    return [course.diff(one, two) for one, two in zip(earlier, later, strict=True)]


def table(diffs):
    """How much of its weight each head moved, as a mean over the sentences: layers × heads."""
    return torch.stack([one.total_variation for one in diffs]).mean(0)


reviewed, at_random = changes(start, end), changes(*fresh)
others = {}
if PROFILE == "shipped":
    for role in ("paraphrase", "qa"):
        model = course.load(role)
        others[role] = changes(start, [course.attend(model, text) for text in reviews])
else:  # the hub's models of other tasks were made from other models: there is no second floor
    others["two random models"] = at_random
print(f"film reviews moved {table(reviewed).mean():.3f} of all weight")
print(f"two random models differ by {table(at_random).mean():.3f}")
for name, diffs in others.items():
    print(f"the floor of {name}: {table(diffs).mean():.3f}")

# %% [markdown]
# These are means over all heads. A floor is taken head by head: one may be moved by any training, another
# by none.
#
# ### Exercise 7.4: above the floor
#
# Write a function that takes the change of all heads (layers × heads) and a list of floors, each such a
# table. It returns a table of truth values: True for a head that changed more than in *every* floor.


# %% exercise="7.4"
def above(change, floors):
    return ...


# %%
with exercise("7.4", above) as answer:
    small = torch.tensor([[0.3, 0.1, 0.2, 0.2, 0.2]])
    floors = [
        torch.tensor([[0.2, 0.2, 0.2, 0.1, 0.05]]),
        torch.tensor([[0.25, 0.25, 0.2, 0.25, 0.4]]),
    ]
    got = torch.as_tensor(answer(small, floors))
    assert got.shape == (1, 5), (
        f"One layer of five heads gives a 1 × 5 table, not {tuple(got.shape)}."
    )
    heads = got.bool()[0].tolist()
    assert heads != [False, True, False, False, False], "These are the heads below every floor."
    assert heads[3:] != [True, True], (
        "A head that exceeds one floor may be below another. It must exceed every one."
    )
    assert heads[3:] != [True, False], (
        "Above the mean of the floors is not above each: head 3 moved 0.2, and in one floor 0.25."
    )
    assert not heads[2], "Head 2 changed just as much as in the floors, and not more."
    assert heads == [True, False, False, False, False], (
        "Head 0 moved 0.3, and in the floors 0.2 and 0.25: only this one is above both. Compare each "
        "head with its own floors."
    )
    found = torch.as_tensor(answer(table(reviewed), [table(diffs) for diffs in others.values()]))
    print(f"{int(found.sum())} of {found.numel()} heads are above the floor of {', '.join(others)}")

# %% [markdown]
# Is that many? Suppose that no training is special. One of them still moves a head most, for each head.
# How many of the heads would film reviews get, by luck?

# %%
most = torch.stack([table(reviewed), *(table(diffs) for diffs in others.values())]).argmax(0)
exceed_random = int((table(reviewed) > table(at_random)).sum())
exceed_others = int((most == 0).sum())
strict = int(course.noise_floor(reviewed, list(others.values())).exceeds.sum())
by_luck = most.numel() / (1 + len(others))
evenness = measures.normalised_entropy(fresh[0][0]).mean()
print(
    f"of {most.numel()} heads, film reviews moved {exceed_random} more than two random models differ,"
)
print(f"{exceed_others} more than {', '.join(others)}; by luck it would be {by_luck:.0f}")
print(f"{strict} stay above that floor if other sentences had been drawn")
if PROFILE == "shipped":
    claim("random heads attend nearly evenly", evenness > 0.95)
    claim("all heads but one or two exceed the first floor", exceed_random >= 70)
    claim("more than two thirds exceed the second, twice as many as by luck", exceed_others > 48)
    claim("about half of them stay if the sentences vary", 32 <= strict <= 44)

# %% [markdown]
# **What to look at.** The first floor is too low to stop anything. Random heads attend nearly evenly,
# so two of them are alike, and any training exceeds them. The second is the one to take: some heads were
# moved as much by paraphrases or questions as by film reviews. And when `course.noise_floor` draws the
# sentences anew, again and again, only about half of all heads stay above it throughout. Of the others one
# cannot say that film reviews moved them more than another training would.
#
# Two other trainings are better than none, and not many: with so few, a third of the heads would be on top
# by luck. And all twelve sentences are about films. What would you try next?
#
# ## Did the change matter?
#
# So attention has changed. Did it have to? There is an experiment: let the trained model attend as it
# did *before*, and keep everything else. Twelve plain sentences:

# %%
turned = {
    "The acting is not good": "good",
    "It was not a bad film": "bad",
    "The jokes are not funny": "funny",
    "I was not bored for a minute": "bored",
    "This is not a great story": "great",
    "The ending is not terrible": "terrible",
    "The plot is not clever": "clever",
    "It is not a dull play": "dull",
    "The cast is not wonderful": "wonderful",
    "The songs are not boring": "boring",
    "I did not enjoy it": "enjoy",
    "I would not recommend it": "recommend",
}
plain = [text.replace("not ", "") for text in turned]
swap = course.swap_attention(trained, plain, before)
print(f"with the attention of before {swap.kept.mean:.0%} of the answers stay")
if PROFILE == "shipped":
    claim("with the attention of before, all twelve answers stay", swap.kept.mean == 1)

# %% [markdown]
# A surprise: with the old attention it answers just as well. Was all that change for nothing?
#
# ### Exercise 7.5: explain it with a measurement
#
# Find out what the new attention is for. Write sentences of which the trained model is sure, with a
# probability above 0.8, and which it gets *another label* for when it attends as before. Three must do so;
# you may give as many as you like. Look back at the largest rises for an idea: which word did the heads
# learn to look at?

# %% exercise="7.5"
needing = ...

# %%
with exercise("7.5", needing) as texts:
    assert not isinstance(texts, str) and len(texts) >= 3, "Give a list of at least three texts."
    assert len(set(texts)) == len(texts), "One text stands there twice."
    tried = course.swap_attention(trained, list(texts), before).texts
    for one in tried:
        print(f"{one.text!r}: {one.before} {one.probability_before:.2f}, then {one.after}")
    sure = [one for one in tried if one.probability_before > 0.8]
    lost = [one for one in sure if not one.survived]
    if PROFILE == "shipped":  # nobody has searched another model for such texts
        assert len(sure) >= 3, (
            f"The model is sure of {len(sure)} of these, with a probability above 0.8. Three are needed."
        )
        assert lost, (
            "All of these keep their label, so the old attention is enough for them. Is the answer in "
            "single words? Then nothing needs to look anywhere. Try words that change another's."
        )
        assert len(lost) >= 3, (
            f"The label changes for {len(lost)} of these: you are near. Try more of that kind. Not "
            "every one will change."
        )

# %%
swapped = course.swap_attention(trained, list(turned), before)
for one in swapped.texts:
    print(f"{one.before} → {one.after}: {one.text}")
print(f"{swapped.kept.mean:.0%} of the answers stay")
if PROFILE == "shipped":
    claim("with a 'not' in them, fewer than half of the answers stay", swapped.kept.mean < 0.5)

# %% [markdown]
# The same twelve sentences with a "not", and most are lost. Now you can say what the change of
# attention was needed for. A single word can be judged by itself, but a "not" must be brought together
# with what it turns round.
#
# ## The head that learnt "not"
#
# Which head did it? In each of the twelve sentences, take the weight from the word that is judged to
# "not", and see where it rose most.


# %%
def looks(model, query, key):
    """The mean weight from one kind of word to another in the twelve sentences, layers × heads."""
    found = []
    for text, word in turned.items():
        att = course.attend(model, text)
        places = {"not": att.tokens.texts.index("not"), "judged": att.tokens.texts.index(word)}
        found.append(att.weights[:, :, places[query], places[key]])
    return torch.stack(found).mean(0)


at_first, at_last = looks(before, "judged", "not"), looks(trained, "judged", "not")
star = divmod(int((at_last - at_first).argmax()), trained.heads)
print(f"layer {star[0]} head {star[1]}: from {at_first[star]:.2f} to {at_last[star]:.2f}")
if PROFILE == "shipped":
    claim("before, less than a quarter went to 'not'", at_first[star] < 0.25)
    claim("after, more than four fifths", at_last[star] > 0.8)

# %%
example = "It was not a bad film"
att_example = course.attend(trained, example)
course.diff_view(course.diff(course.attend(before, example), att_example), [star[0]], [star[1]])

# %% [markdown]
# **What to look at.** Find the row of "bad": its weight has moved to "not". Here is a head that has learnt
# negation! It would make a fine figure. What is the test?

# %%
with course.ablated(trained, [star]):
    without = {text: course.rank(trained, text).top for text in turned}
stays = [without[text].label == course.rank(trained, text).top.label for text in turned]
print(f"without the head {sum(stays)} of {len(stays)} answers stay")
if PROFILE == "shipped":
    claim("without it, all answers to the twelve sentences stay", all(stays))

# %% [markdown]
# For these sentences the model does not need it. Others do the same work, or its work is not used.
#
# ### Exercise 7.6: find a head that it needs
#
# Here are five of the sentences, in which "not" turns a bad word into praise. In layer 1 of the shipped
# model there is a head without which most of them get the wrong label. Find it, by [taking
# out](glossary.md#ablation) one head at a time, as above. Answer with `(layer, head)`.

# %%
praise = [
    text for text, word in turned.items() if word in ("bad", "bored", "terrible", "dull", "boring")
]
print(*praise, sep="\n")

# %% exercise="7.6"
needed = ...

# %%
with exercise("7.6", needed) as answer:
    found = tuple(torch.as_tensor(answer).flatten().tolist())
    assert len(found) == 2, "Answer with a pair: (layer, head)."
    assert 0 <= found[0] < trained.layers and 0 <= found[1] < trained.heads, (
        "Layers and heads count from 0."
    )
    sure = [course.rank(trained, text).top.label for text in praise]
    with course.ablated(trained, [found]):
        lost = sum(
            course.rank(trained, t).top.label != s for t, s in zip(praise, sure, strict=True)
        )
    print(f"without layer {found[0]} head {found[1]} {lost} of {len(praise)} labels change")
    assert lost >= 3 or PROFILE != "shipped", (  # that another model has such a head, nobody knows
        f"Without layer {found[0]} head {found[1]} {lost} of the {len(praise)} labels change. There is "
        "a head in layer 1 without which at least three do."
    )

# %% [markdown]
# One head is special in another way. Ask *before* fine-tuning: which of all heads looks most from "not"
# to the word that is judged? And how much has it changed?

# %%
quiet = divmod(int(looks(before, "not", "judged").argmax()), trained.heads)
earlier, later = (float(looks(model, "not", "judged")[quiet]) for model in (before, trained))
moves = [course.diff(course.attend(before, text), course.attend(trained, text)) for text in turned]
amount = torch.stack([one.total_variation for one in moves]).mean(0)
print(
    f'layer {quiet[0]} head {quiet[1]}: from "not" to the judged word {earlier:.2f}, then {later:.2f}'
)
print(f"it moved {amount[quiet]:.2f}; the mean of all heads is {amount.mean():.2f}")
if PROFILE == "shipped":
    claim("before fine-tuning it looked there with more than 0.7", earlier > 0.7)
    claim("it changed less than most heads", amount[quiet] < amount.median())

# %% [markdown]
# Is it the head that you found? Five sentences are few, and you chose it by them. Here are ten new ones,
# by which neither head was chosen:

# %%
new = [
    "The story is not weak",
    "The film is not slow",
    "The dialogue is not awful",
    "The set is not cheap",
    "The music is not ugly",
    "The hero is not annoying",
    "The effects are not cheap",
    "The script is not lazy",
    "The pace is not slow",
    "The tone is not cold",
]
if PROFILE == "shipped":
    right = [course.rank(trained, text).top.label == "positive" for text in new]
    lost = {}
    for name in (quiet, star):
        with course.ablated(trained, [name]):
            lost[name] = sum(course.rank(trained, text).top.label == "negative" for text in new)
        print(f"without layer {name[0]} head {name[1]}: {lost[name]} of {len(new)} are lost")
    claim("all ten are positive", all(right))
    claim("without the quiet head most are lost", lost[quiet] > 5)
    claim("without the head that learnt 'not' hardly one", lost[star] <= 1)

# %% [markdown]
# The head that the model needs was there before. Pre-training had taught it to look from "not" to what
# it turns, and fine-tuning changed it less than most. So a picture of changes does not point at it.
# **What training changed is one question, and what the model needs is another.**
#
# ### Exercise 7.7: your own text
#
# Take a review of your own, one with a turn in it ("but", "although", "never"), and answer with the
# `AttentionDiff` of the model before and after. Look at it with `course.diff_view`, or, in a few
# layers only, `course.diff_view(mine, layers=[4, 5])`. This one cannot be wrong.

# %% exercise="7.7" open=true
mine = ...

# %%
with exercise("7.7", mine) as own:
    assert isinstance(own, course.AttentionDiff), "Answer with what course.diff(…, …) returns."
    print(own)

# %% [markdown]
# ## What you have seen
#
# - "Untrained" has two meanings. By the answers they look alike, inside they do not.
# - A difference has two signs. A positive-only picture hides half of the change, and sometimes
#   nearly all of a row's.
# - Nearly every head changes. A noise floor says which ones changed by more than other trainings changed
#   them, and it is only as good as these.
# - The new attention was needed for "not", and for nothing else that we tried. You found it by
#   putting the old attention back.
# - The head with the finest story could go. One that had changed less than most could not.
#
# **Read next.** Wiegreffe and Pinter 2019, *Attention is not not Explanation* (arXiv 1908.04626), who
# put other attention into a model. Michel, Levy and Neubig 2019, *Are Sixteen Heads Really Better than
# One?* (arXiv 1905.10650), who take heads out. Kovaleva, Romanov, Rogers and Rumshisky 2019, *Revealing
# the Dark Secrets of BERT* (arXiv 1908.08593), on what fine-tuning changes.
