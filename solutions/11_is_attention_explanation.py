# %% exercise="11.1"
deciding = ["not", "cruel"]

# %% wrong="11.1" advice="The rule reads the last feeling word only."
deciding = ["gloomy"]

# %% wrong="11.1" advice="Look at the word directly before the feeling word."
deciding = ["cruel"]

# %% wrong="11.1" advice="Answer with a list of words"
deciding = "not cruel"


# %% exercise="11.2"
def area(values, matters):
    yes = [abs(value) for value, flag in zip(values, matters, strict=True) if flag]
    no = [abs(value) for value, flag in zip(values, matters, strict=True) if not flag]
    wins = sum((a > b) + (a == b) / 2 for a in yes for b in no)
    return wins / (len(yes) * len(no))


# %% wrong="11.2" advice="compare sizes"
def area(values, matters):
    yes = [value for value, flag in zip(values, matters, strict=True) if flag]
    no = [value for value, flag in zip(values, matters, strict=True) if not flag]
    return sum((a > b) + (a == b) / 2 for a in yes for b in no) / (len(yes) * len(no))


# %% wrong="11.2" advice="With all values alike nothing is known"
def area(values, matters):
    yes = [abs(value) for value, flag in zip(values, matters, strict=True) if flag]
    no = [abs(value) for value, flag in zip(values, matters, strict=True) if not flag]
    return sum(a > b for a in yes for b in no) / (len(yes) * len(no))


# %% wrong="11.2" advice="Divide by the number of pairs."
def area(values, matters):
    yes = [abs(value) for value, flag in zip(values, matters, strict=True) if flag]
    no = [abs(value) for value, flag in zip(values, matters, strict=True) if not flag]
    return sum((a > b) + (a == b) / 2 for a in yes for b in no)


# %% exercise="11.3"
doubled = "the happy dog saw the merry cat"

# %% wrong="11.3" advice="this would no longer be good"
doubled = "the dog saw the merry cat"

# %% wrong="11.3" advice="Use a feeling word."
doubled = "the dog saw the cat"

# %% wrong="11.3" advice="That is the first sentence."
doubled = sentence

# %% wrong="11.3" advice="What would have to"
doubled = "the sad dog saw the merry cat"


# %% exercise="11.4"
def follow(lower, upper):
    own = torch.eye(len(lower))
    return (0.5 * upper + 0.5 * own) @ (0.5 * lower + 0.5 * own)


# %% wrong="11.4" advice="Without the residual connection"
def follow(lower, upper):
    return upper @ lower


# %% wrong="11.4" advice="The order of the product"
def follow(lower, upper):
    own = torch.eye(len(lower))
    return (0.5 * lower + 0.5 * own) @ (0.5 * upper + 0.5 * own)


# %% wrong="11.4" advice="make a table whose rows sum to 1"
def follow(lower, upper):
    own = torch.eye(len(lower))
    return (upper + own) @ (lower + own)


# %% exercise="11.5"
def right_without(layer, head):
    with course.ablated(model, [(layer, head)]):
        return accuracy(every)


needed = min(places, key=lambda one: right_without(*one))

# %% wrong="11.5" advice="however well it points"
needed = divmod(int(points[1].argmax()) + att.heads, att.heads)

# %% wrong="11.5" advice="Heads that are missed more"
needed = (0, 0)

# %% wrong="11.5" advice="Give a pair (layer, head)."
needed = 1

# %% exercise="11.6"
twins = [
    ("the story is very bad", "the story is not bad"),
    ("the plot is always boring", "the plot is never boring"),
    ("the jokes are all stale", "the jokes are not stale"),
    ("it is really stupid", "it is not stupid"),
    ("I was deeply moved", "I was never moved"),
    ("what a dull film", "not a dull film"),
    ("you will surely enjoy this", "you will not enjoy this"),
]

# %% wrong="11.6" advice="let it turn a bad word into praise" profile="shipped"
twins = [
    ("the acting is truly superb", "the acting is not superb"),
    ("the film is very boring", "the film is not boring"),
    ("the plot is really great", "the plot is not great"),
    ("it is so clever", "it is not clever"),
    ("the cast is simply wonderful", "the cast is not wonderful"),
    ("the story is rather charming", "the story is not charming"),
]

# %% wrong="11.6" advice="Does the word that you changed turn another one?" profile="shipped"
twins = [
    ("a superb film", "a wonderful film"),
    ("a dull film", "a boring film"),
    ("the plot is bad", "the plot is awful"),
    ("the cast is great", "the cast is superb"),
    ("a stupid story", "a silly story"),
    ("an awful script", "a awful script"),
]

# %% wrong="11.6" advice="change exactly one"
twins = [(one, other) for one, other in zip(plain, turned, strict=True)]

# %% wrong="11.6" advice="at least six different pairs"
twins = [("the story is very bad", "the story is not bad")] * 6

# %% exercise="11.7"
mine = course.deletion_curve(reviews, course.attribute(reviews, "a film that I will not forget"))
