# %% exercise="7.1"
difference = 0.01

# %% wrong="7.1" advice="That is what the trained model does."
difference = 0.99

# %% wrong="7.1" advice="the part that turns what it has read into labels is fresh"
difference = 0.3

# %% wrong="7.1" advice="Two probabilities differ by a number from 0 to 1."
difference = 50


# %% exercise="7.2"
def moved(before, after):
    return (after - before).abs().sum(dim=-1).mean() / 2


# %% wrong="7.2" advice="You counted all that moved twice"
def moved(before, after):
    return (after - before).abs().sum(dim=-1).mean()


# %% wrong="7.2" advice="the bare sum is always 0"
def moved(before, after):
    return (after - before).sum(dim=-1).mean()


# %% wrong="7.2" advice="Take the sum in each row first"
def moved(before, after):
    return (after - before).abs().mean()


# %% wrong="7.2" advice="You took the largest change of each row."
def moved(before, after):
    return (after - before).abs().amax(dim=-1).mean()


# %% exercise="7.3"
apart = -change.change.amin(dim=-1) - change.change.amax(dim=-1)
hidden = torch.unravel_index(apart.argmax(), apart.shape)

# %% wrong="7.3" advice="a positive-only picture shows the larger one"
rises_more = change.change.amax(-1) + change.change.amin(-1)
hidden = torch.unravel_index(rises_more.argmax(), rises_more.shape)

# %% wrong="7.3" advice="The largest fall alone is not enough." profile="shipped"
hidden = torch.unravel_index(change.change.argmin(), change.change.shape)[:3]

# %% wrong="7.3" advice="Answer with (layer, head, query)."
hidden = (5, 11)


# %% exercise="7.4"
def above(change, floors):
    return (change > torch.stack(floors)).all(dim=0)


# %% wrong="7.4" advice="It must exceed every one."
def above(change, floors):
    return (change > torch.stack(floors)).any(dim=0)


# %% wrong="7.4" advice="Above the mean of the floors is not above each"
def above(change, floors):
    return change > torch.stack(floors).mean(dim=0)


# %% wrong="7.4" advice="just as much as in the floors"
def above(change, floors):
    return (change >= torch.stack(floors)).all(dim=0)


# %% exercise="7.5"
needing = ["I did not like it", "The songs are not ugly", "I do not like the film"]

# %% wrong="7.5" advice="you are near" profile="shipped"
needing = ["I did not like it", "The songs are not ugly", "The acting is not good"]

# %% wrong="7.5" advice="so the old attention is enough for them" profile="shipped"
needing = ["A wonderful film", "A terrible film", "The plot is dull"]

# %% wrong="7.5" advice="Give a list of at least three texts."
needing = "The acting is not good"

# %% exercise="7.6"
costs = {}
for number in range(trained.heads):
    with course.ablated(trained, [(1, number)]):
        costs[number] = sum(course.rank(trained, text)["positive"] for text in praise)
needed = (1, min(costs, key=costs.get))

# %% wrong="7.6" advice="There is a head in layer 1" profile="shipped"
needed = star

# %% wrong="7.6" advice="Layers and heads count from 0."
needed = (1, trained.heads)

# %% wrong="7.6" advice="Answer with a pair"
needed = 7

# %% exercise="7.7"
own_text = "The first half drags, but the second is never boring"
mine = course.diff(course.attend(before, own_text), course.attend(trained, own_text))
