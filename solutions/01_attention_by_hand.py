# %% exercise="1.1"
count = len(course.attend(model, text).tokens.texts)

# %% wrong="1.1" advice="Too low."
count = 6

# %% wrong="1.1" advice="That is the number of words."
count = 4

# %% wrong="1.1" advice="The tokenizer adds two tokens of its own."
count = len(model.tokenizer.tokenize(text))


# %% exercise="1.2"
def scores(queries, keys):
    head_size = queries.shape[-1]
    return queries @ keys.T / head_size**0.5


# %% wrong="1.2" advice="6 is the bare dot product."
def scores(queries, keys):
    return queries @ keys.T


# %% wrong="1.2" advice="You divided by d."
def scores(queries, keys):
    return queries @ keys.T / queries.shape[-1]


# %% wrong="1.2" advice="Rows and columns are swapped"
def scores(queries, keys):
    return keys @ queries.T / queries.shape[-1] ** 0.5


# %% exercise="1.3"
def attention_weights(queries, keys):
    return torch.softmax(queries @ keys.T / queries.shape[-1] ** 0.5, dim=-1)


# %% wrong="1.3" advice="Your columns sum to 1."
def attention_weights(queries, keys):
    return torch.softmax(queries @ keys.T / queries.shape[-1] ** 0.5, dim=0)


# %% wrong="1.3" advice="Are the scores scaled?"
def attention_weights(queries, keys):
    return torch.softmax(queries @ keys.T, dim=-1)


# %% wrong="1.3" advice="Divide each row by its own sum"
def attention_weights(queries, keys):
    return queries @ keys.T / queries.shape[-1] ** 0.5


# %% wrong="1.3" advice="Exponentiate before you divide."
def attention_weights(queries, keys):
    table = queries @ keys.T / queries.shape[-1] ** 0.5
    return table / table.sum(dim=-1, keepdim=True)


# %% exercise="1.4"
def mix(weights, values):
    return weights @ values


# %% wrong="1.4" advice="That is the plain average of the values."
def mix(weights, values):
    return values.mean(0).repeat(len(weights), 1)


# %% wrong="1.4" advice="You mixed down the columns."
def mix(weights, values):
    return weights.T @ values


# %% wrong="1.4" advice="Each whole vector gets one weight."
def mix(weights, values):
    return weights * values


# %% exercise="1.5"
on_special = measures.share_on(att, att.tokens.special_positions)
resting = divmod(int(on_special.argmax()), att.heads)

# %% wrong="1.5" advice="Give a pair (layer, head)."
resting = int(measures.share_on(att, att.keys.special_positions).argmax())

# %% wrong="1.5" advice="heads rest more than this one"
resting = (0, 2)

# %% wrong="1.5" advice="The layer comes first." profile="shipped"
resting = (7, 4)

# %% exercise="1.6"
mine = course.attend(model, "Tokenizers dislike Llanfairpwllgwyngyll")
