# %% exercise="9.1"
count = 1 + (patches.picture.height // first[0].stop) * (patches.picture.width // first[1].stop)

# %% wrong="9.1" advice="Those are the patches."
count = patches.grid[0] * patches.grid[1]

# %% wrong="9.1" advice="Those are the pixels."
count = patches.picture.height * patches.picture.width

# %% wrong="9.1" advice="That is one row of patches."
count = patches.picture.width // first[1].stop

# %% exercise="9.2"
expected = {
    "upside down": "answer",
    "half a file": "error",
    "all black": "answer",
    "random dots": "answer",
    "in one row": "error",
}

# %% wrong="9.2" advice="Ask only this: has it pixels in rows and columns?"
expected = dict.fromkeys(expected, "error")

# %% wrong="9.2" advice="of the five come out otherwise"
expected = dict.fromkeys(expected, "answer")

# %% wrong="9.2" advice='say "error" or "answer".'
expected = dict.fromkeys(expected, True)

# %% exercise="9.3"
per_digit = torch.stack([on_ink(r.weights[..., 0, 1:], r.tokens) for r in records])
ink_head = divmod(int(per_digit.mean(dim=0).argmax()), att.heads)

# %% wrong="9.3" advice="For our one digit you are right" profile="shipped"
ink_head = divmod(int(on_ink(att.weights[..., 0, 1:], att.tokens).argmax()), att.heads)

# %% wrong="9.3" advice="This head avoids ink"
ink_head = divmod(int(on_ink(att.weights[..., 0, 1:], att.tokens).argmin()), att.heads)

# %% wrong="9.3" advice="Give a pair (layer, head)."
ink_head = 5


# %% exercise="9.4"
def rolled(tables):
    eye = torch.eye(len(tables[0]))
    mixture = eye
    for table in tables:
        mixture = (eye + table) / 2 @ mixture
    return mixture


# %% wrong="9.4" advice="Half of a token is its own vector"
def rolled(tables):
    mixture = torch.eye(len(tables[0]))
    for table in tables:
        mixture = table @ mixture
    return mixture


# %% wrong="9.4" advice="The layers are in the wrong order"
def rolled(tables):
    eye = torch.eye(len(tables[0]))
    mixture = eye
    for table in tables:
        mixture = mixture @ ((eye + table) / 2)
    return mixture


# %% wrong="9.4" advice="Your rows sum to 2."
def rolled(tables):
    eye = torch.eye(len(tables[0]))
    mixture = eye
    for table in tables:
        mixture = (eye + table) @ mixture
    return mixture


# %% exercise="9.5"
def left(patch):
    ranking = course.rank(model, painted(squares, [patch], 1.0))
    return next(p for label, p in ranking.entries if label == before.label)


blamed = min(empty, key=left)

# %% wrong="9.5" advice="This patch is not black."
blamed = max(zip(squares.brightness[1:], squares.texts[1:], strict=True))[1]

# %% wrong="9.5" advice="Try each alone." profile="shipped"
blamed = sorted(
    empty, key=lambda p: course.rank(model, painted(squares, [p], 1.0)).top.probability
)[1]

# %% wrong="9.5" advice="Give the name of one patch"
blamed = (1, 6)

# %% exercise="9.6"
mine = course.attribute(model, course.digit_images(label=8)[0], target=model.labels[3])
