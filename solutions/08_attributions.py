# %% exercise="8.1"
total = other.score - other.baseline_score

# %% wrong="8.1" advice="The baseline has a part of it already"
total = other.score

# %% wrong="8.1" advice="The values are no percentages."
total = 1

# %% wrong="8.1" advice="You added the two logits."
total = other.score + other.baseline_score


# %% exercise="8.2"
def integrate(gradient, start, end, steps):
    way = end - start
    along = [gradient(start + (k + 0.5) / steps * way) for k in range(steps)]
    return way * torch.stack(along).mean(0)


# %% wrong="8.2" advice="Multiply it by (end − start)."
def integrate(gradient, start, end, steps):
    shares = [(k + 0.5) / steps for k in range(steps)]
    return torch.stack([gradient(start + s * (end - start)) for s in shares]).mean(0)


# %% wrong="8.2" advice="That is the gradient at the end."
def integrate(gradient, start, end, steps):
    return gradient(end) * (end - start)


# %% wrong="8.2" advice="Divide by their number."
def integrate(gradient, start, end, steps):
    shares = [(k + 0.5) / steps for k in range(steps)]
    return (end - start) * sum(gradient(start + s * (end - start)) for s in shares)


# %% wrong="8.2" advice="Take it in the middle"
def integrate(gradient, start, end, steps):
    shares = [k / steps for k in range(steps)]
    return (end - start) * sum(gradient(start + s * (end - start)) for s in shares) / steps


# %% wrong="8.2" advice="Right if the way starts at 0."
def integrate(gradient, start, end, steps):
    shares = [(k + 0.5) / steps for k in range(steps)]
    return (end - start) * sum(gradient(s * end) for s in shares) / steps


# %% exercise="8.3"
enough = 8
while enough < 256:
    tried = course.attribute(model, careful, most_steps=enough, tolerance=1e-6)
    if tried.gap <= 0.01 * abs(tried.change):
        break
    enough *= 2

# %% wrong="8.3" advice="steps are enough already" profile="shipped"
enough = 256

# %% wrong="8.3" advice="the values are still off by" profile="shipped"
enough = 8

# %% wrong="8.3" advice="Answer with one of"
enough = 100


# %% exercise="8.4"
def interplay(score, template, first, second):
    whole = score(template.format(first, second))
    one, two = score(template.format(first, mask)), score(template.format(mask, second))
    return whole - one - two + score(template.format(mask, mask))


# %% wrong="8.4" advice="Take away what each does alone."
def interplay(score, template, first, second):
    return score(template.format(first, second)) - score(template.format(mask, mask))


# %% wrong="8.4" advice="add neither once"
def interplay(score, template, first, second):
    one, two = score(template.format(first, mask)), score(template.format(mask, second))
    return score(template.format(first, second)) - one - two


# %% wrong="8.4" advice="From what both do, too"
def interplay(score, template, first, second):
    neither = score(template.format(mask, mask))
    one = score(template.format(first, mask)) - neither
    two = score(template.format(mask, second)) - neither
    return score(template.format(first, second)) - one - two


# %% wrong="8.4" advice="A word that is absent leaves mask in its place"
def interplay(score, template, first, second):
    one, two = score(template.format(first, "")), score(template.format("", second))
    return score(template.format(first, second)) - one - two + score(template.format("", ""))


# %% exercise="8.5"
question = "Who invented the telephone?"

# %% wrong="8.5" advice="ask about something else altogether"
question = "Who built the Eiffel Tower?"

# %% wrong="8.5" advice="Which word of the question says that a person is wanted?" profile="shipped"
question = "When did the war end?"

# %% wrong="8.5" advice="Begin as the question about Tokyo did." profile="shipped"
question = "What is the name of my cat?"

# %% exercise="8.6"
own = course.attribute(model, "The villain is evil, cruel and disgusting.", baseline="pad")
