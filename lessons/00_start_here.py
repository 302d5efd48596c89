# ---
# title: Start here
# minutes: 20
# objectives:
#   - run a notebook, and start it afresh when it confuses you (0.3)
#   - make a picture of attention in three cells (0.5)
#   - answer an exercise, and read what ✓, ○ and ✗ say (0.1, 0.2)
#   - find out whether your machine is ready, and which models you work with (0.4)
# prerequisites: []
# roles: [minilm]
# ---

# %% [markdown]
# This page is a **notebook**: words, and cells of code that you can run and change. Click into
# the first grey cell and press Shift and Enter together. The cell runs, what it shows appears
# below it, and the next cell is chosen. Go on like this, reading as you go. (If you read this as
# a web page, the cells have been run for you. Download the notebook to do it yourself.)
#
# If a cell ends in a red error, open a terminal (in JupyterLab *File*, *New*, *Terminal*) and type
# `python -m course doctor`. It looks at your machine and says what to do.

# %% tags=["parameters"]
PROFILE = "shipped"

# %%
import course
from course import claim, exercise

model = course.load("minilm", profile=PROFILE)

# %%
sentence = "The cat sat on the mat"
att = course.attend(model, sentence)
print(att)

# %%
course.head_view(att, layer=0, heads=[2])

# %% [markdown]
# Three cells: load a model, let it read a sentence, draw where one of its [heads](glossary.md#head)
# looks.
#
# **What to look at.** The sentence stands there twice. A line from a word on the left to a word
# on the right says: when the model works on the left word, this head takes something from the
# right one. The stronger the line, the more. Put the pointer on "sat": where does its line go?
# ([CLS] and [SEP] are put there by the model. Lesson 01 says what for.) Then change
# `layer=0, heads=[2]` in the cell above to other numbers, and run the cell again. How many
# different patterns do you find?
#
# (Where pictures cannot be explored, as in print or in an e-mail, they stand still, and so they
# do until your editor trusts the notebook. Nothing needs to be installed for them.)

# %%
row = att.head(0, 2)[3]  # layer 0, head 2; counted from 0, "sat" is token 3
print(", ".join(f"{token} {weight:.2f}" for token, weight in zip(att.tokens, row, strict=True)))
print(f"together {row.sum():.2f}")
claim("the weights of each token add up to 1", (att.weights.sum(-1) - 1).abs().max() < 1e-5)
if PROFILE == "shipped":
    claim('"sat" puts over 0.99 of its weight on "cat", the token before', row[2] > 0.99)

# %% [markdown]
# That is what the lines are made of: for "sat", one weight for each [token](glossary.md#token),
# together 1.
#
# A line with ✓ is a **claim**. Wherever a lesson states a fact about a model, such a line
# computes whether it is so, with the model and the sentence at hand.
#
# ## Exercises
#
# An exercise is a cell with `...` in it, and below it a cell that checks. You replace the `...`,
# run your cell, and run the check. It says
#
# - ○ as long as there is no answer,
# - ✓ when the answer is right,
# - ✗ with a hint, when it is not right yet.
#
# You can try as often as you like, and run past any exercise. No later cell needs your answer.
#
# ### Exercise 0.1: count
#
# How many tokens does the picture have on its left side? Replace the `...` by a number. Give a
# wrong number first, on purpose, and see what happens.

# %% exercise="0.1"
count = ...

# %%
with exercise("0.1", count) as number:
    assert not isinstance(number, str), "Write the number without quotation marks."
    assert number != len(sentence.split()), (
        "That is how many words you typed. The model adds a token at each end: count those, too."
    )
    assert number == len(att.tokens), (
        f"{number} is not right yet. Count everything on the left side."
    )

# %% [markdown]
# ### Exercise 0.2: write a function
#
# Sometimes the answer is a function. Write one that takes the weights of a token, as a list of
# numbers, and returns the largest.


# %% exercise="0.2"
def largest(weights):
    return ...


# %%
with exercise("0.2", largest) as answer:
    got = answer([0.25, 0.5, 0.125, 0.125])
    assert got != 1, "That is the place of the largest weight. Return the weight itself."
    assert got != 0.125, "That is the smallest."
    assert got == 0.5, (
        f"Of 0.25, 0.5, 0.125 and 0.125 your function returns {got}. Does it go through all of the "
        "list that is passed in?"
    )
    assert answer([0.75, 0.25]) == 0.75, (
        "It works for one list only. Use the list that is passed in."
    )

# %% [markdown]
# ## The kernel remembers
#
# Behind the page runs a program, the **kernel**. It keeps every name that a cell has made, in the
# order in which *you* ran the cells. That is handy, and it can fool you. Here the sentence is
# changed, after `att` was made. Which words will the second line show?

# %%
sentence = "A dog slept under the old table"
print("sentence:", sentence)
print("att:     ", " ".join(att.tokens))
claim("att still holds the tokens of the first sentence", "cat" in att.tokens)

# %% [markdown]
# ### Exercise 0.3: an old answer to a new question
#
# `att` was computed from the old sentence, and nobody has computed it again. Mend that: answer
# with the attention of the model on the sentence as it is now.

# %% exercise="0.3"
fresh = ...

# %%
with exercise("0.3", fresh) as found:
    assert not isinstance(found, str), (
        "That is a text. Let the model read it, as in the second cell of this lesson."
    )
    assert isinstance(found, course.Attention), "Answer with what course.attend(model, …) returns."
    assert "cat" not in found.tokens, "This still holds the old sentence: call course.attend again."
    assert "dog" in found.tokens, "Let the model read `sentence`, as it is now."

# %% [markdown]
# When a notebook confuses you, start it afresh: choose *Restart Kernel and Run All Cells* in the
# menu *Kernel* (in VS Code *Restart* and *Run All*, above the page). Everything is forgotten, and
# every cell runs once, from top to bottom. What you typed stays. Save with Ctrl and S (on a Mac,
# ⌘ and S): the answers are in your copy of the notebook and nowhere else.
#
# ## Is this machine ready?
#
# The doctor looks at Python, the packages, the files of the models, memory, disk and Jupyter. It
# loads a model and draws a picture, here in this kernel.

# %%
from course.doctor import examine

diagnosis = examine(here=True)
print(diagnosis.verdict)
claim("the doctor found nothing to mend", diagnosis.ready)

# %% [markdown]
# For the whole list, with what to do about each line, write `print(diagnosis)` into a cell of
# your own (the button + above the page makes one, in VS Code and Colab *+ Code*), or type
# `python -m course doctor` in a terminal. In that list, ○ says that something works but is worth
# knowing.
#
# ### Exercise 0.4: ask the doctor
#
# How many models came with the course? Print the whole list and look for the line.

# %% exercise="0.4"
came = ...

# %%
with exercise("0.4", came) as number:
    shipped = [entry for entry in course.catalogue() if entry.profile == "shipped"]
    assert not isinstance(number, str), "Write the number without quotation marks."
    assert number < 50, "That is how many MB they take. The number of models stands before it."
    assert number != len(diagnosis.findings), (
        "That is how many lines the list has. Look at the one that begins with models."
    )
    assert number == len(shipped), (
        "Write print(diagnosis) into a cell of your own, and look at the line about models."
    )

# %% [markdown]
# ## Small models and large ones
#
# Each lesson begins with a cell `PROFILE = "shipped"`. Shipped models came with the course: they
# are small, and need no network. If you write `"hub"` there and restart, the same lesson runs on
# the model that the field uses.

# %%
for entry in course.catalogue():
    if entry.role == "minilm":
        print(f"{entry.profile:8} {entry.title}, {entry.size / 1e6:.0f} MB")
sizes = {entry.profile: entry.size for entry in course.catalogue() if entry.role == "minilm"}
claim("the one of the hub is more than four times as large", sizes["hub"] > 4 * sizes["shipped"])

# %% [markdown]
# The large ones are downloaded when they are first used. To do that ahead, type
# `python -m course models pull minilm --profile hub` in a terminal. What a lesson says of "the
# shipped model" need not hold for the other: that is one of the things to find out. Claims about
# the shipped model are then left out.
#
# ### Exercise 0.5: your own sentence
#
# Let the model read a sentence of your own, in English, and answer with the attention. This one
# cannot be wrong. Then draw it in a cell of your own.

# %% exercise="0.5" open=true
mine = ...

# %%
with exercise("0.5", mine) as own:
    assert isinstance(own, course.Attention), "Answer with what course.attend(model, …) returns."
    print(own)

# %% [markdown]
# ## What you have seen
#
# - A picture of [attention](glossary.md#attention) takes three cells: load, attend, view.
# - ○ waits for you, ✗ has a hint, ✓ is right. A claim says whether a fact holds here.
# - The kernel remembers what you ran, in your order. Restart it, and run all.
# - `python -m course doctor` says whether your machine is ready, and what to do.
#
# Go on with lesson 01, in which you compute such a picture yourself.
#
# **Read next.** Vig 2019, *A Multiscale Visualization of Attention in the Transformer Model*
# (arXiv 1906.05714), on the picture above.
