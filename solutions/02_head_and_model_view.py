# %% exercise="2.1"
def clearest(measure):
    """By eye any clear head will do; by measure, the clearest."""
    return divmod(int(measure.argmax()), att.heads)


seen = {
    "previous": clearest(measures.previous_token_share(att)),
    "next": clearest(measures.next_token_share(att)),
    "fan": clearest(att.weights.mean(dim=2).amax(dim=-1)),
    "web": clearest(measures.entropy(att)),
}

# %% wrong="2.1" advice="of its weight on the token before" profile="shipped"
seen = {"previous": (1, 8), "next": (0, 2), "fan": (2, 7), "web": (5, 6)}

# %% wrong="2.1" advice="of its weight on the token after" profile="shipped"
seen = {"previous": (0, 2), "next": (2, 11), "fan": (2, 7), "web": (5, 6)}

# %% wrong="2.1" advice="of its weight on one token" profile="shipped"
seen = {"previous": (0, 2), "next": (1, 8), "fan": (5, 6), "web": (5, 6)}

# %% wrong="2.1" advice="of the spread of a pure web" profile="shipped"
seen = {"previous": (0, 2), "next": (1, 8), "fan": (2, 7), "web": (2, 9)}

# %% wrong="2.1" advice="answer with a pair, (layer, head)"
seen = {"previous": 2, "next": 20, "fan": 31, "web": 66}

# %% wrong="2.1" advice="The layer comes first."
seen = {"previous": (1, 12), "next": (8, 12), "fan": (7, 12), "web": (6, 12)}


# %% exercise="2.2"
def next_share(weights):
    return weights.diagonal(offset=1).mean()


# %% wrong="2.2" advice="Is it the other side of the diagonal?"
def next_share(weights):
    return weights.diagonal(offset=-1).mean()


# %% wrong="2.2" advice="leave it out"
def next_share(weights):
    return weights.diagonal(offset=1).sum() / len(weights)


# %% wrong="2.2" advice="That is the sum."
def next_share(weights):
    return weights.diagonal(offset=1).sum()


# %% wrong="2.2" advice="each token looks at itself"
def next_share(weights):
    return weights[:-1].amax(1).mean()


# %% exercise="2.3"
all_shares = [measures.offset_share(course.attend(model, one), -2) for one in sentences]
two_back = divmod(int(sum(all_shares).argmax()), att.heads)

# %% wrong="2.3" advice="Give a pair (layer, head)."
two_back = int(measures.offset_share(att, -2).argmax())

# %% wrong="2.3" advice="Did you take the share one token back"
one_back = [measures.offset_share(course.attend(model, one), -1) for one in sentences]
two_back = divmod(int(sum(one_back).argmax()), att.heads)

# %% wrong="2.3" advice="On average over the four sentences, this head is number"
two_back = divmod(
    int(measures.offset_share(att, -2).flatten().sort(descending=True).indices[3]), att.heads
)

# %% exercise="2.4"
scrambled = course.attend(model, "the on mat cat The sat")

# %% wrong="2.4" advice="The words are still in the old order"
scrambled = course.attend(model, "The cat sat on the mat")

# %% wrong="2.4" advice="Use the same six words"
scrambled = course.attend(model, "Colourless green ideas sleep furiously")


# %% exercise="2.5"
def even_previous(n):
    return sum(1 / (row + 1) for row in range(1, n)) / (n - 1)


# %% wrong="2.5" advice="That is an encoder's"
def even_previous(n):
    return 1 / n


# %% wrong="2.5" advice="leave it out"
def even_previous(n):
    return sum(1 / (row + 1) for row in range(1, n)) / n


# %% wrong="2.5" advice="A token may look at itself, too"
def even_previous(n):
    return sum(1 / row for row in range(1, n)) / (n - 1)


# %% exercise="2.6"
mine = course.attend(model, "Did teh cat realy sit there?")
