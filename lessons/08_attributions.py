# ---
# title: Attributions
# minutes: 60
# objectives:
#   - say what the numbers of an attribution add up to, and against which baseline (8.1, 8.6)
#   - compute integrated gradients yourself, and tell whether the steps were enough (8.2, 8.3)
#   - measure what two words do together, which no list of one number per word can show (8.4)
#   - check what an answer found in a text rests on (8.5)
# prerequisites: [01_attention_by_hand]
# roles: [sentiment, qa]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import torch

import course
from course import claim, exercise

model = course.load("sentiment", profile=PROFILE, device="cpu")
positive = model.labels.index("positive")
text = "The acting is terrible, but the story is great."
found = course.attribute(model, text, target="positive")
course.attribution_view(found)

# %% [markdown]
# This model reads sentences about films and decides between *negative* and *positive*. You have just
# asked which words speak for *positive*, and how much.
#
# **What to look at.** Orange words raise the score of *positive*, blue words lower it; the stronger
# the colour, the more. *Bars*, in the menu, shows the numbers. Which word speaks most for, which most against?

# %%
print("for:    ", *found.strongest(3, only="for"), sep="  ")
print("against:", *found.strongest(3, only="against"), sep="  ")
if PROFILE == "shipped":
    claim('"great" speaks most for positive', found.strongest(1, "for")[0].text == "great")
    claim('"terrible" speaks most against it', found.strongest(1, "against")[0].text == "terrible")

# %% [markdown]
# The shipped model's picture agrees with what you would have said. That is pleasant, and proves nothing:
# a colour on a word is a claim about the *model*. In this lesson you find out what the claim is, compute
# it yourself, and meet cases in which it misleads.
#
# ## What the numbers add up to
#
# The last layer of the model gives every label a number, its **[logit](glossary.md#logit)**: the higher,
# the more speaks for the label. An [attribution](glossary.md#attribution) shares out a *change* of that
# number. From what to what?
#
# - The **text** has some logit for *positive*.
# - The **[baseline](glossary.md#baseline)** is the same text with every word replaced by [MASK], which
#   stands for "a word, unknown which". It has a logit, too: even of nothing, the model has an opinion.
#
# In the method that you used, **[integrated gradients](glossary.md#integrated-gradients)** (Sundararajan,
# Taly and Yan 2017), the values of all tokens add up to the one minus the other. This is called
# **[completeness](glossary.md#completeness)**.

# %%
print(f"logit of the baseline {found.baseline_score:+.3f}, of the text {found.score:+.3f}")
print(f"the change is {found.change:+.3f}; the values add up to {float(found.values.sum()):+.3f}")
if PROFILE == "shipped" or found.complete:
    claim("the values add up to the change, within 0.1 % of it", found.complete)

# %% [markdown]
# ### Exercise 8.1: predict, then check
#
# Here are both logits for another text. What will the values of its tokens add up to?

# %%
second = "It was okay."
other = course.attribute(model, second, target="positive")
print(f"{second!r}: baseline {other.baseline_score:+.2f}, text {other.score:+.2f}")

# %% exercise="8.1"
total = ...

# %%
with exercise("8.1", total) as guess:
    right = abs(guess - other.change) < 0.03
    assert right or abs(guess - other.score) > 0.03, (
        "That is the logit of the text. The baseline has a part of it already: take that away."
    )
    assert right or abs(guess - other.score - other.baseline_score) > 0.03, (
        "You added the two logits. What is shared out is the way from one to the other."
    )
    assert right or guess not in (1, 100), (
        "The values are no percentages. They are in the unit of the logit, and share out its change."
    )
    assert right, "Not yet. Completeness: text minus baseline."

# %% [markdown]
# ## Why not just the gradient?
#
# A **gradient** says how fast the logit changes when the input changes a little. Inputs here are vectors
# (lesson 01), and a vector can be moved by a little, though a word cannot. The simplest attribution is the
# gradient at the text, [times the vector itself](glossary.md#gradient--input). Take a sentence of which two
# words make the sense:

# %%
hard = "This film is not bad."
simple = course.attribute(model, hard, target="positive", method="gradient_x_input")
print(*simple.strongest(3), sep="  ")
print(f"the change from baseline to text is {simple.change:+.2f}")
if PROFILE == "shipped":
    claim(
        "each value is less than a twentieth of the change",
        simple.values.abs().max() < simple.change / 20,
    )

# %% [markdown]
# The logit has to be explained from baseline to text, and the shipped model's values are next to nothing.
# Does the sentence not matter to the model? To see what is wrong, walk from the baseline to the text in
# small steps: at 0 every word is [MASK], at 1 every word is itself, at 0.5 every vector is half way
# between the two. You need not follow every line of `entry`. It returns the vectors at the start and at the
# end of the way, and a function `logit`, which says what the model makes of any vectors between them.


# %%
def entry(text):
    """The vectors of the baseline and of the text, and the logit of "positive" for rows of such vectors."""
    ids = model.tokenizer(text, return_tensors="pt")["input_ids"]
    masked = ids.clone()
    masked[0, 1:-1] = model.tokenizer.mask_token_id  # [CLS] and [SEP] stay
    embeddings = model.module.base_model.embeddings
    with torch.no_grad():
        start, end = embeddings(masked)[0], embeddings(ids)[0]

    def logit(rows):
        hook = embeddings.register_forward_hook(lambda *_: rows)  # these instead of the words'
        try:
            return model.module(input_ids=ids.expand(len(rows), -1)).logits[:, positive]
        finally:
            hook.remove()

    return start, end, logit


start, end, logit = entry(hard)
share = torch.linspace(0, 1, 26)
with torch.no_grad():
    path = logit(start + share[:, None, None] * (end - start))
for at, value in zip(share.tolist(), path.tolist(), strict=True):
    print(f"{at:.2f} {value:+.2f} {' ' * round(8 * (value - float(path.min())))}●")

# %% [markdown]
# **What to look at.** Each line is a point of the way, and the dot is farther right the more speaks
# for *positive*. In the shipped model, near the end, at the text itself, the line is flat: the model is
# sure, and a little more or less of any word changes nothing. A gradient taken there is nearly 0. Such a
# model is called **[saturated](glossary.md#saturated)**. The decision fell earlier. And before it did, the
# logit went the *wrong* way.

# %%
if PROFILE == "shipped":
    flat = path[share > 0.75]
    claim(
        "over the last quarter of the way the logit moves by less than 0.1",
        flat.max() - flat.min() < 0.1,
    )
    claim("on the way it falls to less than −1 first", path.min() < -1)
    claim("then, within an eighth of the way, it rises by more than 3", path[12] - path[9] > 3)

# %% [markdown]
# ## Integrated gradients by hand
#
# If the gradient at the end misses the decision, take it *everywhere* on the way. Cut the way from
# start to end into equal steps. A point of the way is start + s · (end − start); the middles of n
# steps are at s = 0.5/n, 1.5/n, 2.5/n and so on. Take the gradient at each of these points, average
# the gradients, and multiply the mean by end − start, number by number.
#
# ### Exercise 8.2: write it
#
# Write a function that takes a gradient function, two points and the number of steps, and returns
# this: a tensor of the shape of `start`. `gradient(point)` gives the gradient at one point, in the
# same shape. The check tries it on a small function first, and then on the model, with the `slope`
# below: there it should meet the library's numbers.


# %%
def slope(point):
    """The gradient of the logit at one point of the way from baseline to text: tokens × size."""
    point = point.clone().requires_grad_(True)
    return torch.autograd.grad(logit(point[None]).sum(), point)[0]


exact = course.attribute(model, hard, target="positive")


# %% exercise="8.2"
def integrate(gradient, start, end, steps):
    return ...


# %%
with exercise("8.2", integrate) as answer:

    def product(point):  # the gradient of x · y is (y, x)
        return point.flip(0)

    here, there = torch.zeros(2), torch.tensor([1.0, 2.0])
    got = torch.as_tensor(answer(product, here, there, 4)).float()
    assert got.shape == (2,), (
        f"One value for each number of the point: two, not {tuple(got.shape)}."
    )
    assert got.tolist() != [2.0, 2.0], (
        "That is the gradient at the end. Take the mean over the way."
    )
    assert got.tolist() != [4.0, 4.0], "That is the sum over the steps. Divide by their number."
    assert got.tolist() != [1.0, 0.5], "That is the mean gradient. Multiply it by (end − start)."
    assert got.tolist() not in ([0.75, 0.75], [1.25, 1.25]), (
        "You took the gradient at one end of each step. Take it in the middle: (k + 0.5) / steps."
    )
    assert torch.allclose(got, torch.ones(2)), (
        "Of x · y, on the way from (0, 0) to (1, 2), each has 1."
    )
    moved = torch.as_tensor(answer(product, torch.ones(2), there, 4)).float()
    assert torch.allclose(moved, torch.tensor([0.0, 1.0])), (
        "Right if the way starts at 0. In general a point is start + share · (end − start)."
    )
    each = torch.as_tensor(answer(slope, start, end, 64)).sum(-1)  # of a token's vector, the sum
    error = (each - exact.values).abs().max() / exact.values.abs().max()
    assert error < 0.02 or not exact.complete, (
        f"The small case is right, but you are {error:.1%} away from the library."
    )

# %% [markdown]
# ## When ten steps lie
#
# How many steps are enough? More cost more time, so people take few. The library goes on until the
# values add up, unless you tell it to stop. Tell it to stop at ten:

# %%
ten = course.attribute(model, hard, target="positive", most_steps=10)
course.attribution_view(ten)

# %%
course.attribution_view(exact)

# %% [markdown]
# **What to look at.** Two convincing pictures of the same sentence. Each has a scale of its own, so (in the
# shipped model) "not" is as strong in both; the numbers beside the scales differ. Only the line about
# *completeness* says that one of them is wrong. Look for it before you read on.

# %%
print(f"there is {exact.change:+.2f} to share out")
for steps in (5, 8, 10, 16, 32, 64):
    few = course.attribute(model, hard, target="positive", most_steps=steps)
    print(
        f"{steps:3} steps: {float(few.values.sum()):+.2f}, off by {few.gap / abs(few.change):.1%}"
    )
if PROFILE == "shipped":
    claim("after ten steps the values add up to twice the change", ten.gap > abs(ten.change))
    claim("with enough steps they add up to it", exact.complete)

# %% [markdown]
# In the shipped model, ten steps share out twice as much as there is. You have seen why: the decision falls
# within an eighth of the way, and with ten points it is chance how many of them fall there. Some tools
# stretch all values to a common length before they show them. Then nobody can add them up, and
# nobody notices.
#
# ### Exercise 8.3: find the smallest number
#
# Of 8, 16, 32, 64, 128 and 256 steps: which is the smallest number for which this text's values
# add up to the change within 1 %? `attribute(…, most_steps=n).gap` says by how much they do not. (If even
# 256 are not enough for your model, answer 256.)

# %%
careful = "I expected to hate it, but I did not."

# %% exercise="8.3"
enough = ...

# %%
with exercise("8.3", enough) as steps:
    choice = (8, 16, 32, 64, 128, 256)
    assert steps in choice, f"Answer with one of {choice}."

    def off(n):
        tried = course.attribute(model, careful, most_steps=n, tolerance=1e-6)
        return tried.gap / abs(tried.change)

    assert off(steps) <= 0.01 or steps == choice[-1], (
        f"After {steps} steps the values are still off by {off(steps):.1%} of the change."
    )
    assert steps == choice[0] or off(steps // 2) > 0.01, (
        f"{steps // 2} steps are enough already: they are off by {off(steps // 2):.1%} of the change."
    )

# %% [markdown]
# ## What two words do together
#
# The values of "This film is not bad." add up now. Look at them once more. What do you make of "bad"?

# %%
removed = course.attribute(model, hard, target="positive", method="occlusion")
for name, one in (("integrated gradients", exact), ("occlusion", removed)):
    said = {share.text: share.value for share in one}
    print(f"{name}: not {said['not']:+.2f}, bad {said['bad']:+.2f}")
if PROFILE == "shipped":
    claim(
        'to one method "bad" speaks against positive, to the other for it',
        exact.values[5] < 0 < removed.values[5],
    )

# %% [markdown]
# **[Occlusion](glossary.md#occlusion)** asks something else: by how much does the logit fall when this
# word alone becomes [MASK]? Of the shipped model, the two methods do not even agree on the sign of "bad".
# Before you decide which is wrong, measure. The four texts with and without each of the two words:

# %%
mask = model.tokenizer.mask_token
template = "This film is {} {}."


def positive_logit(text):
    ids = model.tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        return float(model.module(**ids).logits[0, positive])


for one in ("not", mask):
    for two in ("bad", mask):
        filled = template.format(one, two)
        print(f"{filled:32} {positive_logit(filled):+.2f}")

# %% [markdown]
# **What to look at.** In the shipped model the logit is low with "not" alone and low with "bad" alone. With
# both it is high. So whether "bad" helps depends on whether "not" is there.
#
# ### Exercise 8.4: explain it with a measurement
#
# If two words acted independently, their effects would add up: *both* minus *neither* would be what
# the first does alone plus what the second does alone. Their **interplay** is what remains:
#
# (both − neither) − (first alone − neither) − (second alone − neither)
#
# Write a function that takes a function `score` from text to number, a template with two places and
# two words, and returns their interplay. A word is absent when `mask` stands in its place.


# %% exercise="8.4"
def interplay(score, template, first, second):
    return ...


# %%
with exercise("8.4", interplay) as answer:

    def apart(text):  # 1 whatever the words, 2 for x, 3 for y
        return 1 + 2 * ("x" in text) + 3 * ("y" in text)

    def joined(text):  # 4 only if both are there
        return 4 * ("x" in text and "y" in text)

    got = answer(apart, "{} {}", "x", "y")
    assert got != 5, "That is what both do in all. Take away what each does alone."
    assert got != -1, "What both have without any word is taken away twice: add neither once."
    assert got != 1, "From what both do, too, take neither away."
    assert abs(got) < 1e-9, f"Words that act independently have an interplay of 0, not {got}."
    together = answer(joined, "{} {}", "x", "y")
    assert abs(together - 4) < 1e-9, (
        f"For words that count only together you get {together}, not 4."
    )
    assert answer(lambda text: int(text.count(mask) == 2), "{} {}", "x", "y") == 1, (
        "A word that is absent leaves mask in its place, so that the other words stay where they are."
    )

# %%
pairs = [
    (template, "not", "bad"),
    (template, "not", "good"),
    ("a {}, {} movie", "gorgeous", "witty"),
]
four = {}
for where, one, two in pairs:
    four[one, two] = [
        positive_logit(where.format(*words))
        for words in ((one, two), (one, mask), (mask, two), (mask, mask))
    ]
    whole, first, last, neither = four[one, two]
    print(f"{one} + {two}: both {whole:+.2f}, {one} {first:+.2f}, {two} {last:+.2f}, ", end="")
    print(f"neither {neither:+.2f}; interplay {whole - first - last + neither:+.2f}")
if PROFILE == "shipped":
    whole, first, last, neither = four["not", "bad"]
    claim(
        'the interplay of "not" and "bad" is larger than the whole change',
        whole - first - last + neither > exact.change,
    )
    whole, first, last, neither = four["gorgeous", "witty"]
    claim('"gorgeous" and "witty": either is enough', min(first, last) > whole - 0.2)

# %% [markdown]
# **What to look at.** An interplay can be negative, too: to the shipped model "gorgeous" and "witty" do the
# same work, and the second adds next to nothing.
#
# So neither method is wrong about "bad". What belongs to two words has to be put somewhere when every word gets
# one number, and each method puts it elsewhere. Where words act together, look at the *words
# together*.
#
# ## The baseline is your choice
#
# "How much does this word count?" means "compared with what?" [MASK] is one answer. The library has
# two more: [PAD], the token that fills up short texts, and a vector of zeros. Which of them would you
# call neutral?

# %%
by_baseline = {}
for baseline in ("mask", "pad", "zero"):
    by_baseline[baseline] = course.attribute(model, text, target="positive", baseline=baseline)
    one = by_baseline[baseline]
    print(f"{baseline:4} baseline {one.baseline_score:+.2f}: ", *one.strongest(4), sep="  ")
if PROFILE == "shipped":
    claim("each of the three adds up", all(one.complete for one in by_baseline.values()))
    first = {name: one.strongest(1)[0].text for name, one in by_baseline.items()}
    claim('from [MASK] the strongest word is "great"', first["mask"] == "great")
    claim('from [PAD] it is "terrible"', first["pad"] == "terrible")

# %% [markdown]
# For the shipped model all three are complete, and they put different words first. Say which baseline
# you used, and be careful with findings that only one of them has.
#
# ## What an answer rests on
#
# The same works for other outputs than labels. This model finds the answer to a question in a text:
# it gives every token a logit for being the *start* of the answer and one for being its *end*.

# %%
qa = course.load("qa", profile=PROFILE)
context = (
    "In Artificial Intelligence and machine learning, Natural Language Processing relates to the "
    "usage of machines to process and understand human language. Many researchers currently work "
    "in this space."
)
reply = course.answer(qa, "What is natural language processing ?", context)
reply

# %% [markdown]
# The mark in the text is the answer; the table has the next best. Mind what the probabilities mean: they
# are shared out among the pieces of *this* text, because the model has to point at one of them.
#
# Which tokens made it choose this one? What is shared out now is the logit of its start plus the logit of
# its end.

# %%
course.attribution_view(reply.attribution)

# %% [markdown]
# **What to look at.** Question and text are both coloured, because the model reads both at once.
# Would you have named the same words?

# %%
print(*reply.attribution.strongest(6), sep="  ")
if PROFILE == "shipped":
    claim("these values add up, too", reply.attribution.complete)
    strongest = reply.attribution.strongest(1)[0]
    claim("the strongest of all tokens is the full stop behind the answer", strongest.text == ".")

# %% [markdown]
# In the shipped model the strongest is the full stop that follows the answer. It need not be
# nonsense: a full stop is a good place for an answer to end. But it says little about understanding.
#
# How much does the model care about what you *ask*? The text below says who built the tower in
# Paris. It says nothing about a tower in Tokyo. The model cannot answer "the text does not say". But
# should it be as sure of its answer?

# %%
tower = "Gustave Eiffel built the Eiffel Tower in Paris. It was finished in 1889."
paris = course.answer(qa, "Who built the Eiffel Tower?", tower)
tokyo = course.answer(qa, "Who built the Tokyo Tower?", tower)
for asked in (paris, tokyo):
    print(f"{asked.question} {asked.text} ({asked.score:.2f})")
if PROFILE == "shipped":
    claim("both have the same answer", paris.text == tokyo.text)
    claim("it is surer of the one that the text does not answer", tokyo.score > paris.score)

# %%
course.attribution_view(tokyo.attribution)

# %%
by_word = {
    one.text: one.value
    for one in tokyo.attribution
    if tokyo.attribution.tokens.segments[one.position] == 0
}
print(", ".join(f"{word} {value:+.2f}" for word, value in by_word.items()))
if PROFILE == "shipped":
    claim('of the question, "who" counts most', max(by_word, key=by_word.get) == "who")
    claim(
        '"tokyo" counts for less than a tenth of that', abs(by_word["tokyo"]) < by_word["who"] / 10
    )

# %% [markdown]
# **What to look at.** In the shipped model "who" is what counts: a person is wanted, and the text has one. The
# word that should have stopped it is nearly without colour. The answer to the first
# question was right, and did not show this. It is a suspicion, though, until you test it.
#
# ### Exercise 8.5: fool it
#
# Use what you have seen. Find a question that the text about the tower does *not* answer, and to
# which the model nevertheless answers "Gustave Eiffel" with a score above 0.7. Your question must
# not say "built", "Gustave", "Eiffel" or "tower". (Of another model than the shipped one nobody knows
# whether it can be fooled: the check says what it answers.)

# %% exercise="8.5"
question = ...

# %%
with exercise("8.5", question) as asked:
    words = {word.strip("?.,!'").lower() for word in asked.split()}
    used = words & {"built", "gustave", "eiffel", "tower"}
    assert not used, (
        f"Your question says {', '.join(sorted(used))}: ask about something else altogether."
    )
    fooled = course.answer(qa, asked, tower)
    print(f"{asked} {fooled.text} ({fooled.score:.2f})")
    if PROFILE == "shipped":
        assert fooled.text == paris.text, (
            f"It answers {fooled.text!r}. Which word of the question says that a person is wanted?"
        )
        assert fooled.score > 0.7, (
            f"It answers so, but with a score of {fooled.score:.2f}. Begin as the question about Tokyo did."
        )

# %% [markdown]
# ### Exercise 8.6: your own text
#
# Attribute a sentence of your own: a joke, an irony, a double negation. Try another baseline or
# another method on it. This one cannot be wrong. For a first try: "The villain is evil, cruel and
# disgusting." says nothing against the film. Does the model see that?

# %% exercise="8.6" open=true
own = ...

# %%
with exercise("8.6", own) as attribution:
    assert isinstance(attribution, course.Attribution), (
        "Answer with what course.attribute(…) returns."
    )
    print(attribution)

# %% [markdown]
# ## What you have seen
#
# - An attribution shares out a change: from the baseline's score to the text's. Integrated gradients
#   add up to it, *if* there were enough steps. Check the gap.
# - A gradient at the text alone is nearly 0 where the model is sure.
# - Where words act together, one number per word cannot say so, and methods disagree.
# - Baselines change the values. Name yours.
# - Right answers can rest on the wrong words. The attribution shows it; the score does not.
#
# **Read next.** Sundararajan, Taly and Yan 2017, *Axiomatic Attribution for Deep Networks* (arXiv
# 1703.01365). Sturmfels, Lundberg and Lee 2020, *Visualizing the Impact of Feature Attribution
# Baselines* (Distill, doi 10.23915/distill.00022). Jia and Liang 2017, *Adversarial Examples for
# Evaluating Reading Comprehension Systems* (arXiv 1707.07328).
