# %% exercise="5.1"
zeros = sum(n - 1 - row for row in range(n))

# %% wrong="5.1" advice="Half of the table would cut the diagonal in two."
zeros = n * n / 2

# %% wrong="5.1" advice="That many weights are *not* hidden"
zeros = n * (n + 1) // 2

# %% wrong="5.1" advice="The first row hides all tokens but one"
zeros = n - 1


# %% exercise="5.2"
def looked_at(weights, position):
    return int(weights[position - 1].argmax())


# %% wrong="5.2" advice="Where was it written?"
def looked_at(weights, position):
    return int(weights[position].argmax())


# %% wrong="5.2" advice="You went to the row after."
def looked_at(weights, position):
    return int(weights[position + 1].argmax())


# %% wrong="5.2" advice="You went down a column."
def looked_at(weights, position):
    return int(weights[:, position].argmax())


# %% wrong="5.2" advice="That is the weight."
def looked_at(weights, position):
    return float(weights[position - 1].max())


# %% exercise="5.3"
def share_found(links, by_hand):
    return len(set(links) & set(by_hand)) / len(by_hand)


# %% wrong="5.3" advice="You divided by all links of the model."
def share_found(links, by_hand):
    return sum(pair in by_hand for pair in links) / len(links)


# %% wrong="5.3" advice="A link is a pair: compare both words at once."
def share_found(links, by_hand):
    english = {word for _, word in links}
    return sum(word in english for _, word in by_hand) / len(by_hand)


# %% wrong="5.3" advice="You looked at the German words only."
def share_found(links, by_hand):
    german = {word for word, _ in links}
    return sum(word in german for word, _ in by_hand) / len(by_hand)


# %% wrong="5.3" advice="A link counts wherever it stands."
def share_found(links, by_hand):
    return sum(one == other for one, other in zip(links, by_hand, strict=False)) / len(by_hand)


# %% wrong="5.3" advice="You counted the links found."
def share_found(links, by_hand):
    return len(set(links) & set(by_hand))


# %% wrong="5.3" advice="A word may have several links."
def share_found(links, by_hand):
    return sum(pair in by_hand for pair in links) / len(by_hand)


# %% exercise="5.4"
every_head = [(i, j) for i in range(att.cross.layers) for j in range(att.cross.heads)]
aligner = max(every_head, key=lambda pair: sum(hits(layer=pair[0], heads=[pair[1]])))

# %% wrong="5.4" advice="heads find more."
aligner = (
    last,
    int(torch.tensor([sum(hits(layer=last, heads=[h])) for h in range(att.cross.heads)]).argmin()),
)

# %% wrong="5.4" advice="Answer with a pair"
aligner = 3

# %% wrong="5.4" advice="Layers and heads count from 0."
aligner = (last + 1, att.cross.heads)

# %% exercise="5.5"
changed = "Today a girl is selling fruit at a market."

# %% wrong="5.5" advice="and Mann is still there" profile="shipped"
changed = "Yesterday a man is selling fruit at a market."

# %% wrong="5.5" advice="Change one, or you cannot tell which of them did it."
changed = "Yesterday a woman is selling fruit at a market."

# %% wrong="5.5" advice="the sentence should keep its number of words"
changed = "A man is selling fruit at a market."

# %% exercise="5.6"
my_translation = course.attend(model, "The committee rejected the proposal.")
