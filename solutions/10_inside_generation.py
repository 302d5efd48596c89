# %% exercise="10.1"
first_guess = course.lens(model, "My lord, the").top(0, -1, 1)[0].text

# %% wrong="10.1" advice="a space before the word is part of this token" profile="shipped"
first_guess = "the"

# %% wrong="10.1" advice="That is what the last layer says." profile="shipped"
first_guess = course.lens(model, "My lord, the").top(k=1)[0].text

# %% wrong="10.1" advice="What has the model just read?" profile="shipped"
first_guess = "␣king"


# %% exercise="10.2"
def logits_after(vectors):
    return to_tokens(norm(vectors))


# %% wrong="10.2" advice="Have the vectors gone through the norm"
def logits_after(vectors):
    return to_tokens(vectors)


# %% wrong="10.2" advice="Have the vectors gone through the norm, once"
def logits_after(vectors):
    return to_tokens(norm(norm(vectors)))


# %% wrong="10.2" advice="These are probabilities."
def logits_after(vectors):
    return to_tokens(norm(vectors)).softmax(-1)


# %% wrong="10.2" advice="The result should be tokens × vocabulary"
def logits_after(vectors):
    return norm(vectors)


# %% exercise="10.3"
def induction(weights):
    n = len(weights) // 2
    return weights[n:].diagonal(offset=1)[:n].mean()


# %% wrong="10.3" advice="Go one token further."
def induction(weights):
    n = len(weights) // 2
    return weights.diagonal(offset=-n).mean()


# %% wrong="10.3" advice="You took n + 1 rows."
def induction(weights):
    n = len(weights) // 2
    return weights.diagonal(offset=1 - n).mean()


# %% wrong="10.3" advice="You divided by all rows."
def induction(weights):
    n = len(weights) // 2
    return weights.diagonal(offset=1 - n)[1:].sum() / len(weights)


# %% wrong="10.3" advice="A head that looks at the token before gets a score."
def induction(weights):
    return weights.diagonal(offset=-1).mean()


# %% wrong="10.3" advice="You left a row out."
def induction(weights):
    n = len(weights) // 2
    return weights.diagonal(offset=1 - n)[1:-1].mean()


# %% exercise="10.4"
kept = {}
for one_layer in range(model.layers):
    for one_head in range(model.heads):
        with course.ablated(model, [(one_layer, one_head)]):
            kept[one_layer, one_head] = copied()
needed = min(kept, key=kept.get)

# %% wrong="10.4" advice="This is one of the four induction heads."
needed = strong[0]

# %% wrong="10.4" advice="Loop over all layers and heads" profile="shipped"
needed = (3, 1)

# %% wrong="10.4" advice="Answer with a pair: (layer, head)."
needed = 3

# %% exercise="10.5"
without_z = "O Bunkomar, Bunkomar! wherefore art thou Bunz"

# %% wrong="10.5" advice="One copy is enough to copy from."
without_z = "O Bunkomar, Bunzomar! wherefore art thou Bunz"

# %% wrong="10.5" advice="Keep the end as it is"
without_z = "O Bunzomar, Bunzomar! wherefore art thou Bunk"

# %% wrong="10.5" advice="without it you test another token"
without_z = "O Bunkamar, Bunkamar! wherefore art thou Bunz"

# %% exercise="10.6"
on_names = factors.weights[:, names].sum(dim=1) / factors.weights.sum(dim=1)
of_names = int(on_names.argmax())

# %% wrong="10.6" advice="which are"
of_names = int((factors.weights[:, names].sum(1) / factors.weights.sum(1)).argmin())

# %% wrong="10.6" advice="Another has a larger share." profile="shipped"
of_names = 5

# %% wrong="10.6" advice="Answer with the number of a factor"
of_names = len(factors)

# %% exercise="10.7"
mine = course.lens(model, "My name is Quiblado, sir. Speak, Q")
