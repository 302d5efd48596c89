# ---
# title: Images
# minutes: 60
# objectives:
#   - say what the tokens of a vision transformer are, and how much detail an attention map can show (9.1)
#   - give a model an image of your own, and say which mistakes give an error and which an answer (9.2, 9.6)
#   - draw where [CLS] looks, and follow attention through all layers by rollout (9.3, 9.4)
#   - attribute an answer to patches against two baselines, and say what each baseline cannot blame (9.5)
#   - test an explanation by painting patches over (9.5)
# prerequisites: [02_head_and_model_view, 08_attributions]
# roles: [digits]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import io
import tempfile
import textwrap
import warnings
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageOps

import course
from course import claim, exercise, measures

model = course.load("digits", profile=PROFILE, device="cpu")
digits = course.digit_images(60 if PROFILE == "shipped" else 8)
most_steps = 1024 if PROFILE == "shipped" else 16  # of a large model, each takes a second
digit = digits[4]
print(course.rank(model, digit, k=3))
att = course.attend(model, digit)
course.image_view(att)

# %% [markdown]
# A [transformer](glossary.md#vision-transformer) has just read a picture. You see it twice: first under
# the heat, which says where the token [[CLS]](glossary.md#cls-and-sep) looks in the last layer, and then as
# the model reads it. The model makes its answer from [CLS] alone.
#
# **What to look at.** The heat comes in squares. Each is a [patch](glossary.md#patch): the picture is cut
# into squares, and each square becomes one token, as a word does in a text. Above the picture you can
# choose the layer and the head. Is the heat where the ink is?
#
# (What this lesson says of the model is true of the shipped one. The large model that you get with another
# `PROFILE` has learnt photographs and their names, not digits: make the same tests, and see what it takes a
# digit for. It gets fewer digits and shorter sums.)
#
# ## Patches are tokens

# %%
patches = att.tokens
first = patches.box((0, 0))
print(f"the picture: {patches.picture.height} × {patches.picture.width} pixels")
print(f"a patch: {first[0].stop} × {first[1].stop} pixels")
print(f"as it was drawn: {digit.image.height} × {digit.image.width} pixels")

# %% [markdown]
# The last line is a warning. The digit was drawn with few pixels and then enlarged: no map of it can show
# more than was drawn. And no attention is finer than a patch.
#
# ### Exercise 9.1: predict, then check
#
# How many tokens does the model read for this picture? Work it out from the numbers above before you
# ask `att.tokens`.

# %% exercise="9.1"
count = ...

# %%
with exercise("9.1", count) as guess:
    rows, columns = att.tokens.grid
    assert guess != patches.picture.height * patches.picture.width, (
        "Those are the pixels. A token is a whole patch."
    )
    assert guess != rows, "That is one row of patches. The picture is cut in both directions."
    assert guess != rows * columns, (
        "Those are the patches. Which token does the model read besides? It looks for the answer there."
    )
    assert guess == len(att.tokens), (
        "Not yet. Divide the pixels of a side by those of a patch: that many rows, and as many columns."
    )

# %% [markdown]
# Patches are named by row and column, from 0: `r2c5` is in the third row and the sixth column. Words in a
# text have a neighbour on each side. A patch has them all around, and the model knows of this
# only what it has learnt from positions.
#
# ## A file that is no image
#
# You download a photo, and the site sends a page that says "not found". It is saved under the name that
# you chose. What will the model say of it?

# %%
said, causes = [], []
with tempfile.TemporaryDirectory() as folder:
    photo, missing = Path(folder, "golden-retriever.jpg"), Path(folder, "golden-retreiver.jpg")
    photo.write_text("<!DOCTYPE html><html><body>404: this page was not found</body></html>")
    for path in (photo, missing):
        try:
            course.rank(model, path)
        except course.InputError as error:
            said.append(str(error).replace(folder, "…"))
            causes.append(type(error.__cause__).__name__)
            print(textwrap.fill(said[-1], 90))
claim("the file is refused, and the message says what it is", "web page" in said[0])
claim("underneath is Pillow's own UnidentifiedImageError", causes[0] == "UnidentifiedImageError")
claim("a name with a typing error is refused as well", "there is no file" in said[1])

# %% [markdown]
# The name of a file says nothing about what is in it. Pillow, which reads images, looks at the first bytes,
# and raises `UnidentifiedImageError` if it knows no format that begins so. The course turns this into a
# sentence with something to do. When you meet the bare error, open the file in a text editor: a web
# page is the most common find.
#
# That was the harmless case. Here is the other one: files that *are* images, of something that the model
# cannot read. The shipped one has learnt white ink on black. How will it answer to black ink on white paper?

# %%
with warnings.catch_warnings(record=True) as heard:
    warnings.simplefilter("always")
    answer = course.rank(model, course.inverted(digit), k=3)
print(answer)
for warning in heard:
    print(textwrap.fill(str(warning.message), 90))
if PROFILE == "shipped":
    claim(
        "the answer to the same digit in black on white is wrong", answer.top.label != digit.label
    )
    claim("the course warns of it", len(heard) == 1)

# %% [markdown]
# No error comes from the model, and the probability looks like any other. The warning is the course's: it
# knows on what this model was trained. Nobody warns of the next picture, a digit in a mirror.
# How often do you expect the answer to stay, and how sure will the model be?

# %%
ways = {
    "as it is": lambda image: image,
    "mirrored": ImageOps.mirror,
    "black on white": ImageOps.invert,
}
own = [course.rank(model, one.image).top.label for one in digits]
stays, sure = {}, {}
for name, change in ways.items():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of black on white: you have read it
        tops = [course.rank(model, change(one.image)).top for one in digits]
    stays[name] = sum(top.label == label for top, label in zip(tops, own, strict=True)) / len(own)
    sure[name] = sum(top.probability for top in tops) / len(own)
    print(f"{name}: {stays[name]:.0%} keep their answer, mean probability {sure[name]:.2f}")
if PROFILE == "shipped":
    claim("as they are, all are read rightly", own == [one.label for one in digits])
    claim("in a mirror fewer than half keep their answer", stays["mirrored"] < 0.5)
    claim("and yet the mean probability is above 0.6", sure["mirrored"] > 0.6)
    claim("black on white, fewer than one in ten keep it", stays["black on white"] < 0.1)

# %% [markdown]
# **What to look at.** The two numbers of each line. A classifier always answers, and a probability says how
# the answer compares with *the other answers it has*. It does not say "this is no digit".
#
# ### Exercise 9.2: an error or an answer?
#
# Below are five mistakes. Which of them will give an *error*, and which an *answer*? Replace each `...` by
# one of the two words before you try.

# %%
file = io.BytesIO()
digit.image.save(file, "PNG")
mistakes = {
    "upside down": digit.image.rotate(180),
    "half a file": Image.open(io.BytesIO(file.getvalue()[:60])),
    "all black": Image.new("L", digit.image.size),
    "random dots": torch.rand(8, 8, generator=torch.manual_seed(0)),
    "in one row": torch.arange(64) / 64,
}

# %% exercise="9.2"
expected = {
    "upside down": ...,
    "half a file": ...,
    "all black": ...,
    "random dots": ...,
    "in one row": ...,
}

# %%
with exercise("9.2", expected) as guesses:
    came = {}
    for name, mistake in mistakes.items():
        assert guesses[name] in ("error", "answer"), f'Of "{name}" say "error" or "answer".'
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                top = course.rank(model, mistake).top
            came[name] = ("answer", f"{top.label} ({top.probability:.2f})")
        except course.InputError as error:
            came[name] = ("error", str(error))
    missed = sum(guesses[name] != kind for name, (kind, _) in came.items())
    assert missed == 0, (
        f"{missed} of the five come out otherwise. Ask only this: has it pixels in rows and columns? "
        "What they show is no matter."
    )
    for name, (kind, what) in came.items():
        print(textwrap.fill(f"{name}: {kind}: {what}", 90))

# %% [markdown]
# What is no picture gives an error. What a picture *shows* is checked by nobody: that is left to you.
#
# ## Does attention find the ink?
#
# People often show a map of attention as "what the model looks at", and mean "why it answers so".
# Test this with a number. Call a patch *ink* if it is brighter than 0.25. How much of the heat is on ink?
# If heat were spread evenly, it would be as much as ink covers of the picture.


# %%
def ink(patches):
    return torch.tensor([light > 0.25 for light in patches.brightness if light is not None])


def on_ink(heat, patches):
    """The share of the heat that lies on ink; signs do not count. Heat: one number a patch, last axis."""
    return (heat.abs() * ink(patches)).sum(-1) / heat.abs().sum(-1)


records = [course.attend(model, one) for one in digits]
covered = torch.stack([ink(record.tokens).double().mean() for record in records]).mean()
last = torch.stack([on_ink(r.weights[-1, :, 0, 1:].mean(0), r.tokens) for r in records]).mean()
print(f"ink covers {covered:.0%} of the picture, and has {last:.0%} of [CLS]'s attention")
if PROFILE == "shipped":
    claim("attention of the last layer finds ink no better than chance", abs(last - covered) < 0.05)

# %% [markdown]
# The shipped model reads all of these digits rightly, and the map is no better than a blind one.
# But this map is a mean over heads. What does a mean hide?
#
# ### Exercise 9.3: find the head
#
# Which head's [CLS] looks at ink the most, *on average over all digits*? `record.weights` is layers ×
# heads × queries × keys; [CLS] is token 0, and the patches are the tokens from 1. `on_ink` takes the heat of
# all heads at once. Answer with a pair `(layer, head)`, both counted from 0.

# %% exercise="9.3"
ink_head = ...

# %%
with exercise("9.3", ink_head) as found:
    assert isinstance(found, (tuple, list)) and len(found) == 2, (
        f"Give a pair (layer, head). {att.heads} heads make a layer: divmod(number, {att.heads}) splits a number."
    )
    found = tuple(int(number) for number in found)
    assert 0 <= found[0] < att.layers and 0 <= found[1] < att.heads, (
        "Layers and heads count from 0."
    )
    table = sum(on_ink(one.weights[:, :, 0, 1:], one.tokens) for one in records) / len(records)
    more = int((table > table[found]).sum())
    alone = on_ink(att.weights[:, :, 0, 1:], patches)
    assert more == 0 or alone[found] < alone.max(), (
        f"For our one digit you are right, but over all of them {more} heads look at ink more."
    )
    assert table[found] > covered, (
        "This head avoids ink: an even spread would have more on it. Search for the largest share."
    )
    assert more == 0, (
        f"On average {more} heads look at ink more. Have you taken the row of [CLS] only?"
    )

# %%
shares = on_ink(att.weights[:, :, 0, 1:], patches)
for name, place in (("most", shares.argmax()), ("least", shares.argmin())):
    layer, head = divmod(int(place), att.heads)
    print(f"this digit, {name} on ink: layer {layer} head {head}, {shares[layer, head]:.0%}")
if PROFILE == "shipped":
    claim("for this digit one head has over 0.9 on ink", shares.max() > 0.9)
    claim("and another has less than 0.2", shares.min() < 0.2)
course.image_view(att, layer=layer, head=head)

# %% [markdown]
# **What to look at.** This is the head with the *least* on ink: it looks at the ground around the
# stroke. Others look at the stroke. The mean over both kinds says neither.
#
# ## Rollout: through all layers
#
# There is a second reason why the last layer misleads. By then, a patch's vector holds what it has gathered
# from other patches in the layers below. Looking at `r3c3` in the last layer is not looking at the pixels
# of `r3c3`.
#
# **[Rollout](glossary.md#rollout)** (Abnar and Zuidema 2020) follows attention down to the pixels. Average
# the heads of each layer to one table $A_l$. A token also keeps its own vector, by the [residual
# connection](glossary.md#residual-connection); count this as half:
#
# $$\bar A_l = \tfrac12 I + \tfrac12 A_l \qquad R = \bar A_L \cdots \bar A_2 \bar A_1$$
#
# Row $i$ of $R$ says from which patches token $i$ has come.
#
# ### Exercise 9.4: write rollout
#
# Write a function that takes a list of tables (tokens × tokens, heads averaged), the first layer first,
# and returns $R$.


# %% exercise="9.4"
def rolled(tables):
    return ...


# %%
with exercise("9.4", rolled) as answer:
    below = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    above = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    one, two = answer([below]).tolist(), answer([below, above]).tolist()
    assert one != below.tolist(), (
        "Of one layer you return the table itself. Half of a token is its own vector: mix in I."
    )
    assert sum(one[0]) != 2, "Your rows sum to 2. Take half of I and half of the table."
    assert one == [[0.5, 0.5], [0.0, 1.0]], f"Of one layer, R is (I + A) / 2, not {one}."
    assert two != [[0.75, 0.25], [0.5, 0.5]], (
        "The layers are in the wrong order: a new layer is multiplied from the left."
    )
    assert two != [[0.5, 0.0], [0.0, 0.5]], "You multiplied number by number. Use @."
    assert two == [[0.5, 0.5], [0.25, 0.75]], (
        f"For the two small layers you get {two}. Work row 1 out by hand."
    )
    got = torch.as_tensor(answer(list(att.weights.mean(1))))
    error = (got - measures.rollout(att).weights[-1, 0]).abs().max()
    assert error < 1e-5, f"The small case is right, but on the digit you are {error:.1g} away."

# %%
followed = measures.rollout(att)
down = torch.stack([on_ink(measures.rollout(r).weights[-1, 0, 0, 1:], r.tokens) for r in records])
print(f"rollout has {down.mean():.0%} on ink; ink covers {covered:.0%}")
if PROFILE == "shipped":
    claim(
        "rollout finds more ink than the last layer, by over 0.1", down.mean() > last.double() + 0.1
    )
    hottest = att.weights[-1, :, 0, 1:].mean(0).max()
    claim(
        "its hottest patch has less than a third of what the hottest had in the last layer",
        followed.weights[-1, 0, 0, 1:].max() < hottest / 3,
    )
course.image_view(followed)

# %% [markdown]
# **What to look at.** Compare it with the first picture of this lesson: the heat is spread more widely, and
# over all digits more of it is on ink. Choose layer 0 and go up to see it gather. But rollout knows nothing
# of *which* answer was given: the map would be the same if you asked "why a 9?".
#
# ## What the answer rests on
#
# **[Integrated gradients](glossary.md#integrated-gradients)** (Sundararajan, Taly and Yan 2017) ask about
# one answer. Fade from a [baseline](glossary.md#baseline), a picture with nothing in it, to the digit, and
# add up how much each patch moves the score of "4" on the way. The values add up to the whole change of the
# score: nothing is lost. But which picture has nothing in it? A black one? A white one?

# %%
on_black = course.attribute(model, digit, most_steps=most_steps)
on_white = course.attribute(model, digit, baseline="white", most_steps=most_steps)
for one in (on_black, on_white):
    print(textwrap.fill(one.account, 90))
if PROFILE == "shipped":
    claim("both add up to the change of the score", on_black.complete and on_white.complete)
course.image_view([on_black, on_white])

# %% [markdown]
# **What to look at.** Orange patches raised the score, blue ones lowered it. Switch between the two maps.
# They explain the same answer of the same model, and do not agree. How much of each is on ink?

# %%
few = digits[:8] if PROFILE == "shipped" else digits[:2]
shares = {}
for baseline in ("black", "white"):
    found = [course.attribute(model, one, baseline=baseline, most_steps=most_steps) for one in few]
    shares[baseline] = float(torch.stack([on_ink(a.values[1:], a.tokens) for a in found]).mean())
    print(f"from {baseline}: {shares[baseline]:.0%} on ink")
black = [i for i, light in enumerate(patches.brightness) if light == 0]
print(f"the black patches of our digit, from black: {on_black.values[black].tolist()}")
claim("a black patch has 0 from black", on_black.values[black].abs().max() < 1e-6)
if PROFILE == "shipped":
    alike = torch.corrcoef(torch.stack([on_black.values[1:], on_white.values[1:]]))[0, 1]
    claim("the two maps hardly agree: their correlation is below 0.5", alike < 0.5)
    claim("from black over 0.7 is on ink", shares["black"] > 0.7)
    claim("from white less than 0.5 is", shares["white"] < 0.5)

# %% [markdown]
# On the shipped model, the black baseline seems to find the ink far better. Look at the last printed
# line before you believe it. A patch that is black already does not change on the way from black to the
# digit. So it gets exactly 0, *whatever the model makes of it*, and a dark one gets little. Part of the
# ink's win was decided by our choice.
#
# Does the model care about the black parts? A 4 is a 4 also because of where there is *no* stroke. Ask by
# putting ink there. This is another digit; none of its own ink is touched:


# %%
def painted(patches, names, light):
    """The picture with these patches in one brightness, from 0 (black) to 1 (white)."""
    pixels = patches.picture.light.clone()
    for name in names:
        down, across = patches.box(patches.places[patches.texts.index(name)])
        pixels[:, down, across] = light
    return pixels


doubtful = digits[7]
squares = course.attend(model, doubtful).tokens
empty = [squares.texts[i] for i, light in enumerate(squares.brightness) if light == 0]
right = [
    name for name in empty if squares.places[squares.texts.index(name)][1] >= squares.grid[1] / 2
]
before = course.rank(model, doubtful).top
after = dict(course.rank(model, painted(squares, right, 1.0)).entries)[before.label]
print(f"the probability of {before.label}: {before.probability:.2f} as it is")
print(f"{after:.2f} with the {len(right)} black patches of the right half painted white")
on_doubtful = course.attribute(model, doubtful, most_steps=most_steps)
silent = on_doubtful.values[[squares.texts.index(name) for name in empty]]
claim("from black, all black patches of this digit have 0", silent.abs().max() < 1e-6)
if PROFILE == "shipped":
    claim("over 0.05 of the probability is lost", after < before.probability - 0.05)

# %% [markdown]
# ### Exercise 9.5: explain it with a measurement
#
# Integrated gradients from black give every one of these patches 0. Which *single* black patch matters
# most: which of `empty`, painted white, lowers the probability of `before.label` the most? Answer with
# its name, such as `"r0c0"`. `course.rank(model, picture).entries` has a label and a probability each.

# %% exercise="9.5"
blamed = ...

# %%
with exercise("9.5", blamed) as name:
    assert isinstance(name, str) and name in squares.texts, (
        "Give the name of one patch, such as 'r0c0': row and column, from 0."
    )
    assert name in empty, "This patch is not black. Choose one of empty."
    kept = {}
    for patch in empty:
        entries = course.rank(model, painted(squares, [patch], 1.0)).entries
        kept[patch] = dict(entries)[before.label]
    assert kept[name] < before.probability or kept[name] == min(kept.values()), (
        "Painted white, this patch makes the model surer. Look for the lowest probability."
    )
    more = sum(value < kept[name] - 1e-6 for value in kept.values())
    assert more == 0, f"Black patches that cost more when painted white: {more}. Try each alone."
    strokes = course.attribute(model, doubtful, method="occlusion", of="probability").values
    dearer = int((strokes > before.probability - kept[name]).sum())
    print(
        f"{name} in white leaves {kept[name]:.2f}; {dearer} patches of the stroke cost more in black"
    )

# %% [markdown]
# So emptiness is evidence, and the black baseline cannot say so. The white one can, but it cannot blame
# white. No picture is "nothing" to a model: look at two baselines, and name yours when you show a map.
#
# ## Put it to the test
#
# If a map is right, then the answer should fall fast when its best patches go first. Paint them over one
# after the other, and watch [the probability](glossary.md#deletion-curve) of the label. Where do you expect
# attention: near integrated gradients, or near a random order?

# %%
by_occlusion = course.attribute(model, digit, method="occlusion")
by_attention = course.attribute(model, digit, method="attention")
names = ["from black", "from white", "occlusion", "attention"]
explained = dict(zip(names, (on_black, on_white, by_occlusion, by_attention), strict=True))
curves = []
if PROFILE == "shipped":
    curves = [
        course.deletion_curve(model, one, removal="black", orders=10) for one in explained.values()
    ]
    areas = {name: curve.area for name, curve in zip(names, curves, strict=True)}
    claim("attention is no better than random orders", curves[-1].chance > 0.2)
    by_chance = min(curves[0].areas)  # the best of the random orders
    claim(
        "the other three are better than any of them", max(c.area for c in curves[:3]) < by_chance
    )
    claim("from black beats from white", areas["from black"] < areas["from white"])
else:
    print("Patch after patch, a large model takes too long for these lines: see the next cells.")
course.curve_view(*curves, names=names) if curves else None

# %% [markdown]
# **What to look at.** The lower a line, the sooner the answer is lost, and the better the explanation.
# In the shipped model, the line of attention lies among the random orders. Yet this is the map of the
# first picture in this lesson, with its one bright spot: a clear map is not a true one.
#
# From black beats from white. But the test painted patches *black*, too. What if it paints them white?

# %%
if PROFILE == "shipped":
    white = {}
    for name, one in explained.items():
        white[name] = course.deletion_curve(model, one, removal="white", orders=1).area
        print(f"{name}: area {areas[name]:.2f} painted black, {white[name]:.2f} painted white")
    claim("painted white, from white wins", min(white, key=white.get) == "from white")
    claim(
        "attention is last on both grounds",
        all(max(ground, key=ground.get) == "attention" for ground in (areas, white)),
    )
else:  # what is lost without the best 1, 5, 10, 20 and 50 %: higher is better
    for name, one in explained.items():
        for ground in ("black", "white"):
            lost = course.erase(model, one, removal=ground, orders=2).comprehensiveness
            print(f"{name}: loses {lost:.3f} painted {ground}")

# %% [markdown]
# In the shipped model, of the two baselines, each wins on its home ground. A test has a baseline as
# well. "Method X is better" is half a sentence: the other half says what was painted over with what. But
# all three beat *attention* on both grounds for this digit; that result does not hang on the choice.
#
# ### Exercise 9.6: your own picture
#
# Give the model a picture of your own and see what its answer rests on: a photo of a digit on paper (through
# `course.inverted(image)`), another of `course.digit_images(label=8)`, or a drawing like the one below.
# There the same 7 is drawn with two pens. What will the model say?


# %%
def drawn(*corners, pen):
    """A line through these corners of a black picture of 320 × 320 pixels, counted from the upper left."""
    picture = Image.new("L", (320, 320))
    ImageDraw.Draw(picture).line(corners, fill=255, width=pen)
    return picture


seven = (80, 60), (240, 60), (120, 270)
thick, thin = (course.rank(model, drawn(*seven, pen=pen)).top for pen in (48, 32))
print(f"thick pen: {thick.label} ({thick.probability:.2f})")
print(f"thin pen:  {thin.label} ({thin.probability:.2f})")
if PROFILE == "shipped":
    claim("thick, it is a 7 to the model", thick.label == "7" and thick.probability > 0.8)
    claim("thin, it is a 4, and the model as sure", thin.label == "4" and thin.probability > 0.8)

# %% [markdown]
# Answer with what `course.attribute(model, …)` returns for your picture. This one cannot be wrong. For a
# first try: on which patches does the answer to the thin 7 rest?

# %% exercise="9.6" open=true
mine = ...

# %%
with exercise("9.6", mine) as own_picture:
    assert isinstance(own_picture, course.Attribution), (
        "Answer with what course.attribute(model, …) returns."
    )
    print(own_picture)
    print(f"{on_ink(own_picture.values[1:], own_picture.tokens):.0%} of it is on ink")

# %% [markdown]
# ## What you have seen
#
# - A vision transformer reads patches as tokens. No map is finer than a patch, or than the picture was.
# - A file that is no image gives an error. An image that the model cannot read gives an answer.
# - In the shipped model, where [CLS] looks in the last layer is ink no more often than by chance. Its mean
#   hides heads that do opposite things. Rollout goes through all layers, but knows nothing of the answer.
# - Integrated gradients cannot blame what equals the baseline. Show two baselines.
# - Painting over what a map names is a test, and the test has a baseline, too. On our digit attention did no
#   better in it than a random order.
#
# **Read next.** Dosovitskiy et al. 2021, *An Image is Worth 16x16 Words* (arXiv 2010.11929), on vision
# transformers. Abnar and Zuidema 2020, *Quantifying Attention Flow in Transformers* (arXiv 2005.00928).
# Sundararajan, Taly and Yan 2017, *Axiomatic Attribution for Deep Networks* (arXiv 1703.01365). Sturmfels,
# Lundberg and Lee 2020, *Visualizing the Impact of Feature Attribution Baselines* (Distill,
# doi:10.23915/distill.00022).
