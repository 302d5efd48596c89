# %% exercise="2.1"
fan_seen = divmod(int(att.weights.mean(dim=2).amax(dim=-1).flatten().argmax()), att.heads)

# %% wrong="2.1" advice="In a fan they meet in one point." profile="shipped"
fan_seen = divmod(int(measures.previous_token_share(att).argmax()), att.heads)

# %% wrong="2.1" advice="In the picture the layer is the row"
fan_seen = divmod(int(measures.entropy(att).argmax()), att.heads)

# %% wrong="2.1" advice="Layers and heads count from 0."
fan_seen = (1, 12)


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


# %% exercise="2.3"
all_shares = [measures.offset_share(course.attend(model, one), -2) for one in sentences]
two_back = divmod(int(sum(all_shares).argmax()), att.heads)

# %% wrong="2.3" advice="Give a pair (layer, head)."
two_back = int(measures.offset_share(att, -2).argmax())

# %% wrong="2.3" advice="Did you take the share one token back"
one_back = [measures.offset_share(course.attend(model, one), -1) for one in sentences]
two_back = divmod(int(sum(one_back).argmax()), att.heads)

# %% wrong="2.3" advice="heads look two tokens back more than this one"
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
