# ---
# title: Ranking emojis, and the token to blame
# minutes: 60
# objectives:
#   - read a ranking of labels, and compare its numbers with chance (6.1, 6.5)
#   - blame a token by a picture of attention, and test the blame by taking the token out (6.2, 6.5)
#   - find words that act together, and doubt the first story about why (6.3)
#   - find a hidden cause by changing one character at a time (6.4)
# prerequisites: [02_head_and_model_view]
# roles: [emoji-es]
# ---

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import course
from course import claim, exercise

model = course.load("emoji-es", profile=PROFILE)
tweet = "Tapas + sangria = @ Ocaña Barcelona"
ranking = course.rank(model, tweet, k=6)
ranking

# %% [markdown]
# Somebody wrote this tweet with one emoji in it. The emoji was taken out, and the model has to say
# which of 19 it was. (The tweets come from a competition, SemEval-2018 task 2.) The emoji was 🇪🇸.
#
# **What to look at.** The shipped model's first choice is another one. Look at the size of the numbers,
# too: a model that knew nothing at all would give each of 19 emojis 1/19, which is 0.053. How far
# above that is the first?

# %%
for score in model.scores[:1]:
    print(score)
print(
    f"{1 / len(model.labels):.3f} for each label by chance, {ranking.top.probability:.3f} for the first"
)
if PROFILE == "shipped":
    claim("the first choice is not the emoji of the tweet", ranking.top.label != "🇪🇸")
    claim("the first choice has less than three times 1/19", ranking.top.probability < 3 / 19)
    claim("of the test tweets it gets a third right", abs(model.scores[0].value - 1 / 3) < 0.01)

# %% [markdown]
# So it hesitates, and it is wrong. Why? In this lesson you will accuse a word, test the accusation,
# and see several good stories fall. (The story is that of the shipped model. On another, make the same
# tests and see who falls.)
#
# ### Exercise 6.1: predict, then check
#
# There are four words in the tweet: Tapas, sangria, Ocaña, Barcelona. Give the model each of them
# alone. For which one does 🇪🇸 get the highest probability? Decide before you let it rank.

# %% exercise="6.1"
spanish_word = ...

# %%
with exercise("6.1", spanish_word) as word:
    alone = {one: course.rank(model, one)["🇪🇸"] for one in tweet.split() if one.isalpha()}
    assert word in alone, f"Choose one of {', '.join(alone)}, as it is written in the tweet."
    assert alone[word] == max(alone.values()), (
        f"{word!r} alone gives 🇪🇸 {alone[word]:.3f}, and another word gives more. Do not ask what is "
        "Spanish: ask beside which word people would put a flag."
    )

# %% [markdown]
# And "tapas"? It would be a natural suspect: a word for food, in a tweet that got no flag.

# %%
course.rank(model, "tapas", k=6)

# %%
for one in tweet.split():
    print(f"{one:>9} alone: 🇪🇸 {course.rank(model, one)['🇪🇸']:.3f}")
if PROFILE == "shipped":
    claim('"tapas" alone gives no emoji a tenth', course.rank(model, "tapas").top.probability < 0.1)
    claim('"Barcelona" alone is 🇪🇸', course.rank(model, "Barcelona").top.label == "🇪🇸")

# %% [markdown]
# The shipped model does not know what to make of "tapas". "Barcelona" it takes for Spain.
#
# ## A suspect, from a picture
#
# The model reads its answer off the last layer's vector of [[CLS]](glossary.md#cls-and-sep) (lesson 01). So
# let us see where [CLS] looks in the last layer. Put the pointer on [CLS] on the left.

# %%
att = course.attend(model, tweet)
course.head_view(att, layer=att.layers - 1)

# %% [markdown]
# **What to look at.** Which token gets the strongest lines from [CLS]? The next cell says it in
# numbers: `course.attribute` gives each token one, and with `method="attention"` it is this row of the
# table, as an average over the heads.

# %%
looked = course.attribute(model, tweet, method="attention")
print("[CLS] looks at", ", ".join(map(str, looked.strongest(4))))
if PROFILE == "shipped":
    claim("[CLS] looks most at barcelona", looked.strongest(1)[0].text == "barcelona")

# %% [markdown]
# Here is a sentence that many reports would write now: *"The model was distracted by Barcelona, and
# so it chose ❤."* It sounds right. What would you do to find out whether it is?
#
# Take the word out, and see whether ❤ gets less probable. This is called
# **[occlusion](glossary.md#occlusion)**, or erasure.
#
# ### Exercise 6.2: write the test
#
# Write a function that takes a `score` and a list of words. `score` is itself a function: it takes a
# list of words and returns a number. Return a list with one entry a word: by how much the score
# *falls* when this one word is left out. A word that had raised the score has a fall above 0.


# %% exercise="6.2"
def falls(score, words):
    return ...


# %%
def praise(words):
    """A score that is worked out by hand: at most 1, and 'not' lowers it."""
    assert not isinstance(words, str), "Give `score` a list of words, even if it is one word."
    return min(1.0, sum({"good": 0.6, "film": 0.1, "not": -0.2}[word] for word in words))


with exercise("6.2", falls) as answer:
    twice = [round(float(fall), 6) for fall in answer(praise, ["good", "good", "film"])]
    assert len(twice) == 3, f"Three words need three numbers, one each, and not {len(twice)}."
    assert twice != [0.9, 0.9, 0.0], (
        'You left out both "good" at once. Words can come twice: go by their place.'
    )
    assert twice != [0.6, 0.6, 0.1], (
        "That is what each word scores alone. Score the text without it: words act together."
    )
    assert twice != [0.7, 0.7, 1.0], "That is the score without the word. By how much did it fall?"
    signed = [round(float(fall), 6) for fall in answer(praise, ["not", "good"])]
    assert signed != [0.2, -0.6], "The sign is the wrong way round: 'good' raises the score."
    assert signed == [-0.2, 0.6], (
        f"'not' lowers the score by 0.2 and 'good' raises it by 0.6, but you get {signed}."
    )
    assert twice == [0.3, 0.3, 0.0], (
        f"Without one 'good' 0.7 is left of 1, without 'film' still 1, but you get {twice}."
    )

# %% [markdown]
# Look at the two "good" of the check once more. Each scores 0.6 alone, but leaving one out costs only
# 0.3, because the other is still there. Where two words do the same work, leaving one out shows
# little. Keep that in mind.
#
# ## The test
#
# With your function, `falls(lambda words: course.rank(model, " ".join(words))["❤"], tweet.split())`
# is the test for ❤. The library does nearly the same: it does not leave a token out but puts [MASK]
# in its place, so that nothing behind it moves. Ask it for both emojis (each number says by how much the
# probability falls):

# %%
fall = {
    label: course.attribute(model, tweet, target=label, method="occlusion", of="probability")
    for label in ("❤", "🇪🇸")
}
print("     token  looked at      ❤       🇪🇸")
for token, share, heart, flag in zip(
    att.tokens, looked.values, fall["❤"].values, fall["🇪🇸"].values, strict=True
):
    print(f"{token:>10} {share:10.2f} {heart:+8.3f} {flag:+8.3f}")

# %%
course.attribution_view(fall["🇪🇸"], style="bars")

# %% [markdown]
# **What to look at.** A bar to the right says: with this token, 🇪🇸 is more probable than without.
# One bar is far longer than all others. Now look at the same token in the column of ❤, above.

# %%
if PROFILE == "shipped":
    place = att.tokens.texts.index("barcelona")
    flag_falls = sorted(fall["🇪🇸"].values.tolist())
    claim("barcelona raises 🇪🇸", fall["🇪🇸"].values[place] == flag_falls[-1])
    claim("three times as much as any other token", flag_falls[-1] > 3 * flag_falls[-2])
    claim("barcelona lowers ❤", fall["❤"].values[place] < 0)

# %% [markdown]
# The suspect is innocent. It is more than that: "barcelona" was the one token that spoke for the
# right answer, and against the wrong one. The picture could not tell, for two reasons:
#
# - A weight has no **sign**. It says that [CLS] took something from this token, not whether that
#   spoke for ❤ or against it.
# - A weight has no **label**. There is one row for all 19 emojis. Whatever it explains, it explains
#   them all alike.
#
# ## Then which token made it say ❤?
#
# Look down the column of ❤. What is the largest number in it? And how probable is ❤ when *every*
# token is masked, so that the model knows nothing but the length?

# %%
heart = fall["❤"]
print(f"for the tweet, ❤ has {heart.score:.3f}; with all tokens masked {heart.baseline_score:.3f}")
if PROFILE == "shipped":
    claim("no token alone raises ❤ by more than 0.01", heart.values.max() < 0.01)
    claim("❤ is the first choice for the tweet", ranking.top.label == "❤")
    claim("and has nearly as much without any word", heart.score - heart.baseline_score < 0.03)

# %% [markdown]
# No token did. Nearly all of it was there before the first word: ❤ is this model's habit, and no reading
# of this tweet. (In tweets ❤ is frequent.) Not every error has a culprit. What was missing is evidence
# for the flag, and that is another question: there *was* a word that spoke for it, so what drowned
# it?
#
# ### Exercise 6.3: find the two
#
# `tweet.split()` has seven pieces. Leaving out a single one does not bring the flag to the top. Leave out
# *two*, in every possible way, and find the two without which 🇪🇸 is most probable. Answer with these two
# pieces, such as `("+", "=")`. `itertools.combinations` makes all pairs.

# %% exercise="6.3"
drowning = ...


# %%
def flag_without(pieces):
    """The probability of 🇪🇸 when these pieces of the tweet are left out."""
    return course.rank(model, " ".join(one for one in tweet.split() if one not in pieces))["🇪🇸"]


with exercise("6.3", drowning) as found:
    assert not isinstance(found, str) and len(found) == 2, (
        'Give two pieces, such as ("+", "="), not one.'
    )
    for piece in found:
        assert piece in tweet.split(), f"{piece!r} is no piece of the tweet: see tweet.split()."
    mine, pieces = flag_without(found), tweet.split()
    pairs = [(one, two) for i, one in enumerate(pieces) for two in pieces[i + 1 :]]
    better = sum(flag_without(pair) > mine + 1e-9 for pair in pairs)
    assert better == 0 or "Barcelona" not in found, "You left out the word that speaks for 🇪🇸."
    assert better == 0, (
        f"Without these 🇪🇸 has {mine:.3f}, but {better} other pairs give more. Try all 21, by program."
    )

# %% [markdown]
# Words act together: one at a time, none of them looked guilty. Before you read on: what do your two
# have in common, that "Tapas" and "Barcelona" have not? The tokens of the tweet are a hint.

# %%
print(" ".join(att.tokens))
if PROFILE == "shipped":
    pieces = tweet.split()
    cut = [one for one in pieces if len(course.attend(model, one).tokens) > 3]
    print("cut into several tokens:", ", ".join(cut))
    without_one = [" ".join(other for other in pieces if other != one) for one in pieces]
    tops = [course.rank(model, text).top.label for text in without_one]
    claim("leaving out a single piece never makes it 🇪🇸", "🇪🇸" not in tops)
    rest = course.rank(model, " ".join(one for one in pieces if one not in cut))
    claim("leaving out the two that were cut does", len(cut) == 2 and rest.top.label == "🇪🇸")
    others = [(one, two) for i, one in enumerate(pieces) for two in pieces[i + 1 :]]
    claim("no other two do more for 🇪🇸", max(others, key=flag_without) == tuple(cut))

# %% [markdown]
# In the shipped model they are the two words that the tokenizer cut. "sangria" and "Ocaña" are not in
# its vocabulary, and what the model reads are scraps such as "san" and "o". So now you could write:
# *"The tokenizer cut two words, and the scraps drowned Barcelona."*
#
# Did you notice? That is a story again. It says that the *cut* is to blame. What would you do to
# find out whether it is?

# %%
for one, two in (("sangria", "Ocaña"), ("cerveza", "centro"), ("vino", "casa")):
    text = tweet.replace("sangria", one).replace("Ocaña", two)
    other = course.rank(model, text)
    print(f"{' '.join(course.attend(model, text).tokens)}: {other.top.label}, 🇪🇸 {other['🇪🇸']:.3f}")
    if PROFILE == "shipped":
        claim(f"{one} and {two} drown the flag", other["🇪🇸"] < flag_without(cut) - 0.02)

# %% [markdown]
# Two words that the model knows whole drown the flag just as well. That they were cut is true, and it
# is not the reason: words that say nothing about Spain water down the one that does.
#
# ## What the tokenizer cuts
#
# Here are a tweet with English words in it, and the same in Spanish. The
# [tokenizer](glossary.md#tokenizer) is made for Spanish tweets. Which words will be cut?

# %%
loans = "Vamoooos!! #Gym #healthy @ Albacete Capital"
spanish = "Vamos!! #Gimnasio #saludable @ Albacete Capital"
for text in (loans, spanish):
    print(" ".join(course.attend(model, text).tokens))
if PROFILE == "shipped":
    words = ("gym", "healthy", "vamos", "vamoooos", "saludable")
    pieces = [len(course.attend(model, word).tokens) - 2 for word in words]  # but [CLS] and [SEP]
    claim(f"whole are {', '.join(words[:3])}", max(pieces[:3]) == 1)
    claim(f"cut are {' and '.join(words[3:])}", min(pieces[3:]) > 1)

# %% [markdown]
# Did you expect the English words to be cut? A tokenizer does not know languages. It keeps whole
# what was frequent in the texts that it was made from, and in tweets people go to the *gym* and are
# *healthy*. (A vocabulary made from other texts would cut other words: look at yours.)
#
# Does it matter for the emoji?

# %%
for text in (loans, spanish):
    ranked = course.rank(model, text)
    print(f"{ranked.top.label} {ranked.top.probability:.3f}   {text}")


def strong_without(text, word):
    """The probability of 💪 when the word is left out."""
    return course.rank(model, text.replace(word, ""))["💪"]


if PROFILE == "shipped":
    for text in (loans, spanish):
        claim(f"{text.split()[0]} … is 💪", course.rank(model, text).top.label == "💪")
    strong = course.rank(model, loans)["💪"]
    claim("without #Gym 💪 loses more than half", strong_without(loans, "#Gym") < strong / 2)
    for text, word in ((loans, "#healthy"), (spanish, "#saludable")):
        claim(
            f"without {word} 💪 is no less probable",
            strong_without(text, word) > course.rank(model, text)["💪"],
        )

# %% [markdown]
# Both forms are recognised, by other words. The whole "healthy" did nothing for 💪, nor did the cut
# "saludable". That a word was cut is a fact about the tokenizer; whether it matters is a fact about
# the answer, and must be measured.
#
# ## Does attention point at what counts?
#
# "barcelona" was one token of one tweet. The next picture tests two explanations of the Spanish form
# against each other: its words are taken out, the most important first, and you watch 💪. The explanation
# whose [line](glossary.md#deletion-curve) falls faster has found what counts. Grey is the mean of 50 random
# orders.

# %%
curves = [
    course.deletion_curve(
        model, course.attribute(model, spanish, method=method, of="probability").words()
    )
    for method in ("attention", "occlusion")
]
course.curve_view(*curves)

# %% [markdown]
# **What to look at.** The first step of attention goes up: the word that it puts first is one that
# spoke against 💪. Can you guess which? It was cut in two, and the attention of its two tokens was
# added: a word in many pieces collects attention by being many.

# %%
if PROFILE == "shipped":
    by_attention, by_occlusion = curves
    claim("attention puts saludable first", by_attention.removed[0] == "saludable")
    claim("without it 💪 is more probable", by_attention.curve[1] > by_attention.curve[0])
    claim("more than one random order in five is as good", by_attention.chance > 0.2)
    claim("fewer than one in twenty are as good as occlusion", by_occlusion.chance < 0.05)

# %% [markdown]
# Now for sixteen texts in the manner of such tweets. The number is how much probability is lost without the
# words that an explanation puts first ([comprehensiveness](glossary.md#comprehensiveness), DeYoung and
# colleagues 2020), as a mean over the texts, with its 95 % interval in brackets. Where do you expect
# attention: beside random, beside occlusion, or between them?

# %%
texts = [
    "Buenos días desde la playa de Cádiz",
    "Jajajaja no puedo más con este vídeo",
    "Feliz cumpleaños amiga, te quiero mucho",
    "A tope en el gimnasio, vamos equipo",
    "Qué guapa estás en esa foto",
    "Noche de concierto con los amigos",
    "Campeones!! Vamos España",
    "Mi familia, lo mejor de mi vida",
    "Paella y sol en Valencia",
    "Entrenando duro para la carrera del domingo",
    "Gracias por un día tan especial",
    "Esta canción me encanta, qué temazo",
    "Atardecer en el puerto de Málaga",
    "Mañana examen y yo viendo la tele jajaja",
    "Feliz Navidad a todos",
    "De fiesta con mis primas en Sevilla",
]

# %%
lost = {}
for method in ("attention", "occlusion"):
    found = [course.attribute(model, text, method=method, of="probability") for text in texts]
    orders = 10 if PROFILE == "shipped" else 2  # a large model takes its time
    erased = course.mean_erasure([course.erase(model, one.words(), orders=orders) for one in found])
    lost[method] = erased
    print(f"{method}: {erased.comprehensiveness}; random orders {erased.random[0]}")
if PROFILE == "shipped":
    claim("attention is better than random orders", lost["attention"].gain[0].low > 0)
    claim(
        "occlusion is better than attention",
        lost["occlusion"].comprehensiveness.mean > lost["attention"].comprehensiveness.mean + 0.03,
    )

# %% [markdown]
# Between them. Attention is a hint: better than nothing, worse than a test. To be fair, occlusion
# has an advantage here, because the number measures just what occlusion does. In lesson 08 you will
# meet an explanation that does well without it.
#
# ## A surprise
#
# Now a greeting, with the sun and without:

# %%
greeting = "☀️ Buenos días"
for text in (greeting, "Buenos días"):
    print(
        f"{text}: {', '.join(f'{e.label} {e.probability:.2f}' for e in course.rank(model, text, k=3))}"
    )
if PROFILE == "shipped":
    claim("with the sun the first choice is ❤", course.rank(model, greeting).top.label == "❤")
    claim("with more than half of all probability", course.rank(model, greeting)["❤"] > 0.5)
    claim("without it ❤ has less than a tenth", course.rank(model, "Buenos días")["❤"] < 0.1)
print(f"the greeting has {len(greeting)} characters")

# %% [markdown]
# "The model has learnt that people who see the sun are in love." A nice story again! Count the
# characters that you see, and compare with the last line.
#
# ### Exercise 6.4: explain it with a measurement
#
# Leave out one character of the greeting at a time, and find the one without which the first choice
# loses most of its probability. Answer with its place: `place` such that `greeting[place]` is the
# character. Python counts from 0.

# %% exercise="6.4"
place_to_blame = ...

# %%
with exercise("6.4", place_to_blame) as place:
    assert not isinstance(place, str) and place in range(len(greeting)), (
        f"Answer with a place, a whole number from 0 to {len(greeting) - 1}."
    )
    shortened = [greeting[:i] + greeting[i + 1 :] for i in range(len(greeting))]
    label = course.rank(model, greeting).top.label
    left = [course.rank(model, text)[label] for text in shortened]
    stronger = sum(value < left[place] - 1e-9 for value in left)
    assert stronger == 0 or greeting[place] != "☀", (
        f"Without the sun itself {label} keeps {left[place]:.2f}. What else is drawn there? "
        "Print list(greeting)."
    )
    assert stronger == 0, (
        f"Without {greeting[place]!r} {label} keeps {left[place]:.2f}. "
        f"Leaving out another character costs it more: {stronger} do."
    )

# %% [markdown]
# What is that character? Unicode has a name for every one:

# %%
import unicodedata

for character in greeting[:4]:
    print(f"U+{ord(character):04X} {unicodedata.name(character)}")
print(course.attend(model, greeting).tokens)

# %%
course.attribution_view(
    course.attribute(model, greeting, target="❤", method="occlusion", of="probability"),
    style="bars",
)

# %% [markdown]
# **What to look at.** The long bar belongs to a token that you cannot see in the text. The sun
# itself is [UNK] to the shipped model, a character that it does not know.
#
# Many emojis are two characters: the emoji, and an invisible one that says "in colour, please".
# "❤️" is U+2764 and U+FE0F. When the tweets were collected, the hearts were taken out, and the second
# half often stayed behind. In 1,199 of the 10,000 test tweets it did, and every one of them had a ❤
# (the model's card has counted them). The model has learnt to read the litter. This is called a
# **[shortcut](glossary.md#shortcut)**: right for a reason that has nothing to do with the task.

# %%
turned = [text for text in texts if course.rank(model, text).top.label != "❤"]
hearts = [text for text in turned if course.rank(model, text + " \ufe0f").top.label == "❤"]
print(f"{len(hearts)} of {len(turned)} texts turn to ❤ when the invisible character is added")
if PROFILE == "shipped":
    claim("more than half of them turn to ❤", len(hearts) > len(turned) / 2)
    whole, bare = (score.value for score in model.scores if score.name.startswith("accuracy"))
    print(f"accuracy {whole:.3f}; with the character removed from the test {bare:.3f}")
    claim("a fifth of its right answers hang on it", 1 - bare / whole > 0.2)

# %% [markdown]
# Nothing in a score of 0.33 would have told you. An occlusion of one character did.
#
# ### Exercise 6.5: your own tweet
#
# Write a tweet in Spanish, and answer with the `Ranking`. Before you look: which word will it hang
# on? Take that word out and see. This one cannot be wrong.

# %% exercise="6.5" open=true
mine = ...

# %%
with exercise("6.5", mine) as own:
    assert isinstance(own, course.Ranking), "Answer with what course.rank(model, …) returns."
    print(f"{own.top.label} {own.top.probability:.3f}")
    named = course.attribute(model, own.text, method="occlusion", of="probability")
    print(f"it hangs on: {', '.join(map(str, named.strongest(3, only='for')))}")

# %% [markdown]
# ## What you have seen
#
# - A ranking has numbers: compare the first with chance before you explain it.
# - Attention accused the one word that spoke for the right answer. It has no sign and no label.
# - Occlusion tests a blame. It shows one word at a time, so look for words that act together.
# - Every test brought a new story, and every story needed its own test: even "it was cut".
# - A wrong answer may have no culprit, and a right one may rest on a character that nobody sees.
#
# **Read next.** Barbieri et al. 2018, *SemEval 2018 Task 2: Multilingual Emoji Prediction* (ACL
# Anthology S18-1003), on the tweets. Li, Monroe and Jurafsky 2016, *Understanding Neural Networks through
# Representation Erasure* (arXiv 1612.08220), on taking words out. DeYoung et al. 2020, *ERASER: A
# Benchmark to Evaluate Rationalized NLP Models* (arXiv 1911.03429), on scores for explanations. Geirhos
# et al. 2020, *Shortcut Learning in Deep Neural Networks* (arXiv 2004.07780), on the litter.
