# %% exercise="6.1"
spanish_word = max(
    filter(str.isalpha, tweet.split()), key=lambda piece: course.rank(model, piece)["🇪🇸"]
)

# %% wrong="6.1" advice="ask beside which word people would put a flag" profile="shipped"
spanish_word = "sangria"

# %% wrong="6.1" advice="Choose one of Tapas"
spanish_word = "paella"


# %% exercise="6.2"
def falls(score, words):
    whole = score(words)
    return [whole - score(words[:i] + words[i + 1 :]) for i in range(len(words))]


# %% wrong="6.2" advice="The sign is the wrong way round"
def falls(score, words):
    return [score(words[:i] + words[i + 1 :]) - score(words) for i in range(len(words))]


# %% wrong="6.2" advice="You left out both"
def falls(score, words):
    return [score(words) - score([other for other in words if other != word]) for word in words]


# %% wrong="6.2" advice="That is what each word scores alone."
def falls(score, words):
    return [score([word]) for word in words]


# %% wrong="6.2" advice="Give `score` a list of words"
def falls(score, words):
    return [score(word) for word in words]


# %% wrong="6.2" advice="By how much did it fall?"
def falls(score, words):
    return [score(words[:i] + words[i + 1 :]) for i in range(len(words))]


# %% exercise="6.3"
from itertools import combinations


def flag_of_rest(gone):
    rest = [piece for piece in tweet.split() if piece not in gone]
    return course.rank(model, " ".join(rest))["🇪🇸"]


drowning = max(combinations(tweet.split(), 2), key=flag_of_rest)

# %% wrong="6.3" advice="Try all 21, by program"
drowning = ("+", "=")

# %% wrong="6.3" advice="You left out the word that speaks for" profile="shipped"
drowning = ("Tapas", "Barcelona")

# %% wrong="6.3" advice="not one"
drowning = "sangria"

# %% exercise="6.4"
most = course.rank(model, greeting).top.label


def kept(at):
    return course.rank(model, "".join(c for i, c in enumerate(greeting) if i != at))[most]


place_to_blame = min(range(len(greeting)), key=kept)

# %% wrong="6.4" advice="What else is drawn there?" profile="shipped"
place_to_blame = greeting.index("☀")

# %% wrong="6.4" advice="Leaving out another character costs it more" profile="shipped"
place_to_blame = greeting.index("B")

# %% wrong="6.4" advice="Answer with a place"
place_to_blame = "☀"

# %% exercise="6.5"
mine = course.rank(model, "Qué risa con mis amigas en la playa jajaja")
