# ---
# title: Encoder and decoder
# minutes: 60
# objectives:
#   - tell encoder, decoder and cross-attention apart, and say what the decoder cannot see (5.1)
#   - read a word alignment off cross-attention, from the right row (5.2, 5.6)
#   - score an alignment against one made by hand, and against a ruler (5.3, 5.4)
#   - show by an experiment that the word most looked at need not be the word translated (5.5)
# prerequisites: [02_head_and_model_view]
# roles: [translate-en-de]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import torch

import course
from course import claim, exercise, measures

model = course.load("translate-en-de", profile=PROFILE, device="cpu")
att = course.attend(model, "She sees the small elephant.", "Sie sieht den kleinen Elefanten.")
last = att.cross.layers - 1
course.head_view(att, layer=last, show="cross")

# %% [markdown]
# A translator has two halves. The **[encoder](glossary.md#encoder)** reads the English sentence. The
# **[decoder](glossary.md#decoder)** writes the German one, a token at a time, and while it writes it looks
# back at the English: that is **[cross-attention](glossary.md#cross-attention)**, and this picture shows
# its last layer. German is on the left, English on the right. Each colour is a head. (In this lesson we
# give the German sentence, so that you know what the decoder writes. Without one, `course.attend` lets the
# model write its own.)
#
# **What to look at.** You do not need German: *Sie* is she, *sieht* is sees, *kleinen* is small, *Elefanten*
# is elephant. (The tokenizer cuts rarer words into pieces: `E le f anten`.) Point at "kleinen" on the left,
# and follow its lines. Which English word do you expect them to meet, and which do they meet?

# %%
cross = att.cross.weights[last].mean(0)
for row in range(len(cross)):
    key = int(cross[row].argmax())
    print(
        f"{att.cross.queries.texts[row]:>8} looks most at {att.cross.keys.texts[key]} ({cross[row, key]:.2f})"
    )
if PROFILE == "shipped":
    places = [int(i) for i in cross.argmax(-1)]
    met = [
        att.cross.keys.texts[places[att.cross.queries.positions(word)[0]]]
        for word in ("Sie", "kleinen")
    ]
    claim('the row of "Sie" looks most at a piece of "sees"', met[0] in ("se", "es"))
    claim('that of "kleinen" at a piece of "elephant"', met[1] in ("ele", "ph", "ant"))

# %% [markdown]
# "kleinen" means *small*, and in the shipped model it looks at the elephant. Has the model got it
# wrong? Keep the question for a moment, and look at all three attentions first.
#
# ## Three attentions

# %%
course.model_view(att, show="decoder")

# %% [markdown]
# **What to look at.** Above the picture you can choose between three attentions. Each has a row for
# each layer and a column for each head.
#
# - *Encoder*: English looks at English. Every token sees all others, as in the lessons before.
# - *Decoder*: German looks at German. Lines go level or up, and never down. (Drawn as a table, as in
#   print, the triangle above the diagonal is empty.)
# - *Cross*: German looks at English. It is the only place where the two languages meet.
#
# Why does no line go down in the decoder? When it writes a word, the words after it do not exist yet. In
# training they do, so they must be [hidden](glossary.md#causal): a *mask* sets their weights to 0, exactly.
#
# And why does the German begin with a token that nobody typed (here it is called `<pad>`)? The decoder
# reads what it has written so far, to write the next token. To write the first, it has nothing yet, so
# it reads this start token.
#
# ### Exercise 5.1: predict, then check
#
# One head of the decoder is a table with a row and a column for each token that it reads. How many of
# its weights are certainly 0, whatever the model has learnt?

# %%
n = len(att.decoder.tokens)
print(f"the decoder reads {n} tokens: {' '.join(att.decoder.tokens)}")

# %% exercise="5.1"
zeros = ...

# %%
with exercise("5.1", zeros) as guess:
    size = len(att.decoder.tokens)
    assert guess != size * size / 2, (
        "Half of the table would cut the diagonal in two. May a token see itself?"
    )
    assert guess != size * (size + 1) / 2, (
        "That many weights are *not* hidden: row i sees i tokens, itself included."
    )
    assert guess != size * size, "Then nothing would be left to see."
    hidden = int((att.decoder.weights.amax(dim=(0, 1)) == 0).sum())
    assert guess == hidden, (
        "Not yet. The first row hides all tokens but one, the last hides none. Add up the rows between."
    )

# %% [markdown]
# The mask has a side effect that pictures do not mention. The first token is in every row's sight, the
# last in one row's only. How much of its attention would a head put on the first token if it knew
# nothing and spread evenly over what it sees? (You met this in exercise 2.5, for the token before.)

# %%
rows = torch.arange(1, n + 1)
even = float((1 / rows).mean())
on_first = measures.share_on(att.decoder, [0])
print(f"even spread: {even:.2f} of all attention on the start token")
print(f"the model's decoder: {on_first.mean():.2f} on average")
claim("a head that spreads evenly puts over twice 1/n on the first token", even > 2 / n)
if PROFILE == "shipped":
    claim(
        "the decoder's heads put less than 0.15 more there than an even spread would",
        on_first.mean() < even + 0.15,
    )

# %% [markdown]
# In lesson 02 a fan on the first token was a head that rests. In a decoder much of such a fan is the
# mask. Compare with an even spread *under the mask* before you call it a resting place.
#
# ## The right row
#
# Back to "kleinen". The decoder's rows carry the names of the tokens that are *read*. What is *written*
# in that row is the next token. The row of "kleinen" is the moment at which the model has written
# "Sie sieht den kleinen" and looks for what comes next: "Elefanten".
#
# ### Exercise 5.2: read the right row
#
# Write a function that takes weights (queries × keys) and the position of a German token among the
# queries, and returns the position of the English token that was most looked at *when that German
# token was written*.


# %% exercise="5.2"
def looked_at(weights, position):
    return ...


# %%
with exercise("5.2", looked_at) as answer:
    table = torch.tensor(
        [[0.6, 0.1, 0.2, 0.1], [0.1, 0.1, 0.2, 0.6], [0.1, 0.7, 0.1, 0.1], [0.1, 0.2, 0.7, 0.0]]
    )
    got = float(answer(table, 1)), float(answer(table, 2))
    assert got != (3, 1), (
        "In the row of a token, the token is read, and the next is written. Where was it written?"
    )
    assert got != (1, 2), "You went to the row after. It reads the token that was written later."
    assert got != (2, 3), (
        "You went down a column. Columns are English tokens, rows are German ones."
    )
    assert abs(got[0] - 0.6) > 1e-6, "That is the weight. Return its place in the row."
    assert got == (0, 3), (
        f"Tokens 1 and 2 were written while the model looked at 0 and 3, not at {got}."
    )
    for place in range(1, n):
        word = att.cross.keys.texts[int(answer(cross, place))]
        print(f"{att.cross.queries.texts[place]} ← {word}")

# %% [markdown]
# `measures.align` does the same for whole words: the row before a word's first piece, in the last layer,
# averaged over its heads. This is called a **[word alignment](glossary.md#alignment)**.

# %%
links = measures.align(att.cross)
print(links)
if PROFILE == "shipped":
    content = {"Sie": "She", "sieht": "sees", "kleinen": "small", "Elefanten": "elephant"}
    found = {link.target: link.source for link in links}
    right = all(found[german] == english for german, english in content.items())
    claim("read in the right row, every one of these words finds its English one", right)

# %% [markdown]
# Nothing was wrong with the shipped model. We had read the wrong row, and it *looked* like an alignment. (The
# full stop points to any word, or to –, the end mark: it has to point somewhere.)
#
# ## Score it
#
# One sentence proves little. Here are eight captions, with the links that a person would draw between
# their content words. Some are in the order of the English, others are not.

# %%
BY_HAND = """
She sees the small elephant. | Sie sieht den kleinen Elefanten. |
    Sie-She sieht-sees kleinen-small Elefanten-elephant
A boy jumps into the water. | Ein Junge springt ins Wasser. | Junge-boy springt-jumps Wasser-water
A black dog runs through the green grass. | Ein schwarzer Hund läuft durch das grüne Gras. |
    schwarzer-black Hund-dog läuft-runs durch-through grüne-green Gras-grass
A little girl is climbing a tree. | Ein kleines Mädchen klettert auf einen Baum. |
    kleines-little Mädchen-girl klettert-climbing Baum-tree
A man is riding a brown horse on the beach. | Ein Mann reitet am Strand ein braunes Pferd. |
    Mann-man reitet-riding Strand-beach braunes-brown Pferd-horse
Three girls are eating ice cream in front of a house. | Drei Mädchen essen vor einem Haus Eis. |
    Drei-Three Mädchen-girls essen-eating Haus-house Eis-ice
Two young children are playing in the snow. | Im Schnee spielen zwei kleine Kinder. |
    Schnee-snow spielen-playing zwei-Two kleine-young Kinder-children
A woman in a red dress is sitting on a bench. | Auf einer Bank sitzt eine Frau in einem roten Kleid. |
    Bank-bench sitzt-sitting Frau-woman roten-red Kleid-dress
"""
captions = []
for line in BY_HAND.replace("|\n", "|").strip().splitlines():
    english, german, pairs = (part.strip() for part in line.split("|"))
    captions.append((english, german, {tuple(pair.split("-")) for pair in pairs.split()}))
crosses = [course.attend(model, english, german).cross for english, german, _ in captions]
print(f"{len(captions)} captions, {sum(len(gold) for _, _, gold in captions)} links made by hand")

# %% [markdown]
# ### Exercise 5.3: write the score
#
# Write a function that takes the links of a model and those made by hand, both as pairs (German word,
# English word), and returns the share of the *hand-made* links that the model has, too. Other links of
# the model do not count: nobody said what is right for "ein". What share of the 37 do you expect?


# %% exercise="5.3"
def share_found(links, by_hand):
    return ...


# %%
with exercise("5.3", share_found) as answer:
    made = [("Hund", "dog"), ("rennt", "runs")]
    got = answer([("Ein", "A"), ("Hund", "cat"), ("rennt", "runs")], made)
    turned = answer([("Hund", "runs"), ("rennt", "dog")], made)
    assert abs(got - 1 / 3) > 1e-6, (
        "You divided by all links of the model. Divide by those made by hand."
    )
    assert got != 1 or turned != 1, (
        "You looked at the German words only. Their English words must be right, too."
    )
    assert turned == 0, (
        "Hund–runs and rennt–dog are both wrong. A link is a pair: compare both words at once."
    )
    assert got != 0, (
        "You compared first with first, second with second. A link counts wherever it stands."
    )
    assert got != 1, "You counted the links found. Divide them by the number made by hand."
    assert got == 0.5, f"One of two hand-made links is there: 0.5, not {got}."
    twice = answer([("Hund", "dog"), ("Hund", "dog"), ("Hund", "cat")], made)
    assert twice == 0.5, (
        "A word may have several links. Go through those made by hand, and ask of each: does the model have it?"
    )
    for one, (_, german, gold) in zip(crosses, captions, strict=True):
        model_links = [(link.target, link.source) for link in measures.align(one)]
        print(f"{answer(model_links, sorted(gold)):.2f}  {german}")

# %% [markdown]
# The check has used your function on the eight captions. Before you trust such a score, try to cheat
# it. What would a method get that links *every* German word with *every* English word?


# %%
def words(text):
    return text.rstrip(".").split()


total = sum(len(gold) for _, _, gold in captions)
everything = [
    {(target, source) for target in words(german) for source in words(english)}
    for english, german, _ in captions
]
cheated = sum(len(gold & links) for (_, _, gold), links in zip(captions, everything, strict=True))
print(f"{sum(map(len, everything))} links find {cheated} of {total}")
claim("whoever links everything with everything finds every link", cheated == total)

# %% [markdown]
# Full marks, and nothing learnt. So compare only methods that make equally many links. `measures.align`
# makes one for each German word, and so will all that follow.
#
# Now all layers, in the right row and one row later, where the word is read. Before you look: what do
# you expect of the first layer? And what should a method score that never looks at the weights?
#
# Such a method is a [baseline](glossary.md#baseline). Ours is the **ruler**: it links each German word to
# the English word at the same place, measured along the sentence.


# %%
def ruler(english, german):
    """Link each German word with the English one at the same share of the way."""
    source, target = words(english), words(german)
    stretch = (len(source) - 1) / (len(target) - 1)
    return {(word, source[round(i * stretch)]) for i, word in enumerate(target)}


def hits(**how):
    """How many hand-made links the model has, caption by caption."""
    return [
        len(gold & {(link.target, link.source) for link in measures.align(one, **how)})
        for one, (_, _, gold) in zip(crosses, captions, strict=True)
    ]


by_hand = [len(gold) for _, _, gold in captions]
ruled = [len(gold & ruler(english, german)) for english, german, gold in captions]
for layer in range(last + 1):
    here, later = sum(hits(layer=layer)), sum(hits(layer=layer, reading=True))
    print(f"layer {layer}: {here} of {sum(by_hand)} links; one row later {later}")
print(f"the ruler: {sum(ruled)}")

# %%
layers = [sum(hits(layer=layer)) for layer in range(last + 1)]
in_order = [i for i, count in enumerate(ruled) if count == by_hand[i]]
others = [i for i in range(len(captions)) if i not in in_order]
model_hits = hits()
for name, chosen in (
    ("where the ruler is right throughout", in_order),
    ("the other captions", others),
):
    total = sum(by_hand[i] for i in chosen)
    print(
        f"{name}: ruler {sum(ruled[i] for i in chosen)}, model {sum(model_hits[i] for i in chosen)} of {total}"
    )

# %%
claim(
    "on its own, without any model, the ruler finds over half of the links",
    sum(ruled) > sum(by_hand) / 2,
)
if PROFILE == "shipped":
    claim("the last layer finds over 90 %", layers[last] > 0.9 * sum(by_hand))
    claim("the first layer finds fewer than the ruler", layers[0] < sum(ruled))
    claim(
        "one row later nearly nothing is left: under 10 %",
        sum(hits(reading=True)) < 0.1 * sum(by_hand),
    )
    total, ours, theirs = (
        sum(counts[i] for i in others) for counts in (by_hand, model_hits, ruled)
    )
    claim("on the other captions the model finds over 90 %", ours > 0.9 * total)
    claim("there the ruler finds less than a third", theirs < total / 3)

# %% [markdown]
# **What to look at.** The ruler knows no word of any language and finds more than half. An alignment
# score without a ruler beside it says little. The captions that tell a reader from a ruler are those
# where it fails, most of them in another order: test on those. On more words than our few, the shipped
# model was scored when it was made. (BLEU and chrF say how near its translations come to those of people;
# *alignment* is the share of words that are linked rightly. The brackets are 95 % intervals.)

# %%
print(*model.scores or ["no score is published for this model"], sep="\n")

# %% [markdown]
# ### Exercise 5.4: find the head
#
# The numbers above are for the average of a layer's heads. Which *single* head, of any layer, finds the
# most links, and does it beat its layer's average? `hits(layer=…, heads=[…])` counts caption by caption.
# Answer with `(layer, head)`.

# %% exercise="5.4"
aligner = ...

# %%
with exercise("5.4", aligner) as answer:
    found_head = tuple(torch.as_tensor(answer).flatten().tolist())
    assert len(found_head) == 2, "Answer with a pair: (layer, head)."
    assert 0 <= found_head[0] <= last and 0 <= found_head[1] < att.cross.heads, (
        "Layers and heads count from 0."
    )
    counts = torch.tensor(
        [[sum(hits(layer=i, heads=[j])) for j in range(att.cross.heads)] for i in range(last + 1)]
    )
    better = int((counts > counts[found_head]).sum())
    assert better == 0, f"This head finds {counts[found_head]} links, and {better} heads find more."
    print(
        f"this head {counts[found_head]}, its layer's average {layers[found_head[0]]} of {sum(by_hand)}"
    )

# %% [markdown]
# ## Right, and looking elsewhere
#
# So the largest weight shows which word is being translated? Here is a sentence that begins in a way
# that captions seldom do. This time the model writes its own German. (What follows is the story of the
# shipped model. On another, make the same tests.)

# %%
fruit = "Today a man is selling fruit at a market."
today = course.attend(model, fruit)
german = today.decoder.tokens.sources[0]
print(german)
print(measures.align(today.cross))
if PROFILE == "shipped":
    mann = next(link for link in measures.align(today.cross) if link.target == "Mann")
    claim('"Mann" looks most at "Today"', mann.source == "Today")

# %% [markdown]
# *Mann* is the right word for *man*, but in the shipped model the largest weight stands on "Today".
# (And *heute*, the word for today, is missing, and the fruit, *Obst*, is there twice.) Did "Mann" come
# from "Today"?
#
# ### Exercise 5.5: explain the surprise
#
# Do not ask the picture, do an experiment. Exchange exactly **one word** of the English sentence for
# another that could stand there, such that "Mann" goes away in the German one. Answer with the English
# sentence. Which word will it be?

# %% exercise="5.5"
changed = ...

# %%
with exercise("5.5", changed) as sentence:
    old, new = fruit.split(), str(sentence).split()
    assert isinstance(sentence, str), "Answer with the English sentence, as a text."
    assert len(new) == len(old), "Replace a word: the sentence should keep its number of words."
    differ = [i for i in range(len(old)) if old[i] != new[i]]
    assert differ, "This is the old sentence."
    assert len(differ) == 1, (
        f"You changed {len(differ)} words. Change one, or you cannot tell which of them did it."
    )
    written = course.attend(model, sentence).decoder.tokens.sources[0]
    if "Mann" not in german:
        print(f"This model never wrote Mann, so that there is nothing to explain here: {german}")
    assert "Mann" not in written.replace(",", "").replace(".", "").split(), (
        f"{old[differ[0]]!r} is now {new[differ[0]]!r}, and Mann is still there: {written} Try another word."
    )
    print(f"{old[differ[0]]} → {new[differ[0]]}: {written}")

# %% [markdown]
# One word decides, and it is not the one with the largest weight. How does the model know of it? An
# average can hide a head. Here is the row that writes "Mann", or "Mädchen" for a girl, head by head
# (the second word, where the model writes neither):

# %%
for noun, written in (("man", "Mann"), ("girl", "Mädchen")):
    one = course.attend(model, fruit.replace("man", noun)).cross.words()
    place = one.queries.texts.index(written) - 1 if written in one.queries.texts else 1
    row = one.weights[last, :, place]  # heads × English words; Today is word 0, and the noun word 2
    shares = [f"{row[h, 0]:.2f} / {row[h, 2]:.2f}" for h in range(one.heads)]
    print(f"Today / {noun}, by head: {',  '.join(shares)}")
courier = int(row[:, 2].argmax())
print(f"head {courier} looks most at the noun")

# %%
if PROFILE == "shipped":
    for noun in ("man", "girl"):
        one = course.attend(model, fruit.replace("man", noun)).cross.words()
        on_today, on_noun = one.weights[last, :, 1, 0], one.weights[last, :, 1, 2]
        claim(f"one head of four has over 0.9 on {noun!r}", on_noun[courier] > 0.9)
        claim("the other three have over 0.75 on Today", int((on_today > 0.75).sum()) == 3)

# %% [markdown]
# Three heads rest on "Today" and outvote the fourth. To see whether the fourth does the work, [take
# heads out](glossary.md#ablation), one at a time, and let the model translate again.

# %%
without = {}
for head in range(att.cross.heads):
    with course.ablated(model, [("cross", last, head)]):
        without[head] = course.attend(model, fruit).decoder.tokens.sources[0]
    print(f"without head {head}: {without[head]}")
if PROFILE == "shipped":
    lost = [head for head, text in without.items() if "Mann" not in text.replace(",", "").split()]
    claim("Mann is lost without this head, and stays without any other", lost == [courier])

# %% [markdown]
# **What to look at.** Without any of the three that rest on "Today", the man stays. Without the one that
# looks at "man", he is gone. The largest weight of an average shows where *most heads* look. It need
# not show what the next word is made from.
#
# ## Looked at, and lost
#
# The opposite happens as well. Before you run this: will a word that gets the largest weight be
# translated?

# %%
for text in ("A man is not wearing a hat.", "A man is wearing a hat."):
    hat = course.attend(model, text)
    print(f"{text} → {hat.decoder.tokens.sources[0]}")
    for link in measures.align(hat.cross):
        print("   ", link)
if PROFILE == "shipped":
    negated, plain = (
        course.attend(model, f"A man is {word}wearing a hat.") for word in ("not ", "")
    )
    source = {link.target: link.source for link in measures.align(negated.cross)}
    claim('"trägt" and "einen" look most at "not"', source["trägt"] == source["einen"] == "not")
    unchanged = negated.decoder.tokens.sources == plain.decoder.tokens.sources
    claim("with and without it the German is the same", unchanged)

# %% [markdown]
# In the shipped model "not" is the word most looked at while *trägt* (wears) is written, and the German
# says that he wears a hat. Whoever reads attention as an explanation would say that the model minded
# the "not". The translation says otherwise. Attention shows where the model looked, and not what it
# made of it.
#
# ### Exercise 5.6: your own sentence
#
# Translate a sentence of your own: answer with `course.attend(model, "…")`. The shipped model has only
# read captions of photographs, so give it one, and then give it something else. Where does the
# alignment help you to see what went wrong? This one cannot be wrong.

# %% exercise="5.6" open=true
my_translation = ...

# %%
with exercise("5.6", my_translation) as own:
    assert isinstance(own, course.EncoderDecoderAttention), (
        "Answer with what course.attend(model, …) returns."
    )
    print(own.decoder.tokens.sources[0])
    print(measures.align(own.cross))

# %% [markdown]
# ## What you have seen
#
# - The encoder sees all, the decoder only what it has written, and cross-attention joins the two.
# - The mask alone sends much attention to the first token. Compare with an even spread under it.
# - A word is written in the row *before* its own. One row later there is nonsense that looks like an
#   alignment.
# - A score can be cheated, and needs a baseline. A ruler finds half of the links; captions in another
#   order tell a reader from a ruler.
# - The word most looked at was not the word translated, and a word much looked at was lost.
#   Experiments showed both, and the picture alone showed neither.
#
# **Read next.** Bahdanau, Cho and Bengio 2015, *Neural Machine Translation by Jointly Learning to Align
# and Translate* (arXiv 1409.0473), where this began. Koehn and Knowles 2017, *Six Challenges for Neural
# Machine Translation* (arXiv 1706.03872), the fifth challenge, on attention that is no alignment. Chen,
# Liu, Chen, Jiang and Liu 2020, *Accurate Word Alignment Induction from Neural Machine Translation*
# (arXiv 2004.14837), on which row and which layer to read.
