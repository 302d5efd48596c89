# %% exercise="0.1"
count = 8

# %% wrong="0.1" advice="That is how many words you typed."
count = 6

# %% wrong="0.1" advice="Write the number without quotation marks."
count = "8"

# %% wrong="0.1" advice="7 is not right yet."
count = 7


# %% exercise="0.2"
def largest(weights):
    return max(weights)


# %% wrong="0.2" advice="is a return missing at its end?"
def largest(weights):
    print(max(weights))


# %% wrong="0.2" advice="That is the place of the largest weight."
def largest(weights):
    return weights.index(max(weights))


# %% wrong="0.2" advice="It works for one list only."
def largest(weights):
    return 0.5


# %% exercise="0.3"
fresh = course.attend(model, sentence)

# %% wrong="0.3" advice="This still holds the old sentence"
fresh = att

# %% wrong="0.3" advice="That is a text."
fresh = sentence

# %% wrong="0.3" advice="as it is now"
fresh = course.attend(model, "A horse slept under the old table")

# %% exercise="0.4"
(models,) = [found.says for found in diagnosis.findings if found.name == "models"]
came = int(models.split()[0])

# %% wrong="0.4" advice="That is how many MB they take."
came = 108.8

# %% wrong="0.4" advice="That is how many lines the list has."
came = len(diagnosis.findings)

# %% exercise="0.5"
mine = course.attend(model, "Colourless green ideas sleep furiously")
