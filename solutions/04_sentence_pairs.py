# %% exercise="4.1"
def share_across(weights, first, second):
    return weights[first][:, second].sum(dim=1).mean()


# %% wrong="4.1" advice="You averaged over the second sentence as well."
def share_across(weights, first, second):
    return weights[first][:, second].mean()


# %% wrong="4.1" advice="That is from the second sentence to the first."
def share_across(weights, first, second):
    return weights[second][:, first].sum(1).mean()


# %% wrong="4.1" advice="Take their mean."
def share_across(weights, first, second):
    return weights[first][:, second].sum()


# %% wrong="4.1" advice="0.7 on average, not 1.00"
def share_across(weights, first, second):
    return weights[first].sum(dim=1).mean()


# %% exercise="4.2"
def permutation_p(values, labels, rounds=2000, seed=0):
    rng = np.random.default_rng(seed)
    real = abs(values[labels].mean() - values[~labels].mean())
    beaten = 0
    for _ in range(rounds):
        dealt = rng.permutation(labels)
        beaten += abs(values[dealt].mean() - values[~dealt].mean()) >= real
    return (beaten + 1) / (rounds + 1)


# %% wrong="4.2" advice="A p-value of 0 claims certainty."
def permutation_p(values, labels, rounds=2000, seed=0):
    rng = np.random.default_rng(seed)
    real = abs(values[labels].mean() - values[~labels].mean())
    dealings = [rng.permutation(labels) for _ in range(rounds)]
    return np.mean([abs(values[d].mean() - values[~d].mean()) >= real for d in dealings])


# %% wrong="4.2" advice="Do you deal the labels out anew each time?"
def permutation_p(values, labels, rounds=2000, seed=0):
    real = abs(values[labels].mean() - values[~labels].mean())
    return np.mean(
        [abs(values[labels].mean() - values[~labels].mean()) >= real for _ in range(rounds)]
    )


# %% wrong="4.2" advice="Compare absolute values of the gaps."
def permutation_p(values, labels, rounds=2000, seed=0):
    rng = np.random.default_rng(seed)
    real = values[labels].mean() - values[~labels].mean()
    dealings = [rng.permutation(labels) for _ in range(rounds)]
    return (sum(values[d].mean() - values[~d].mean() >= real for d in dealings) + 1) / (rounds + 1)


# %% exercise="4.3"
def word_overlap(first, second):
    a, b = (set(re.findall(r"[a-z0-9]+", s.lower())) for s in (first, second))
    return len(a & b) / len(a | b)


# %% wrong="4.3" advice="Capitals make a difference in your count."
def word_overlap(first, second):
    a, b = set(first.split()), set(second.split())
    return len(a & b) / len(a | b)


# %% wrong="4.3" advice="Swapping the sentences changes your number."
def word_overlap(first, second):
    a, b = set(first.lower().split()), set(second.lower().split())
    return len(a & b) / len(a)


# %% wrong="4.3" advice="Count different words."
def word_overlap(first, second):
    a, b = first.lower().split(), second.lower().split()
    return sum(w in b for w in a) / max(len(a), len(b))


# %% wrong="4.3" advice="Words that are in both count once."
def word_overlap(first, second):
    a, b = (set(re.findall(r"[a-z0-9]+", s.lower())) for s in (first, second))
    return len(a & b) / (len(a) + len(b))


# %% wrong="4.3" advice="The full stop is no part of a word."
def word_overlap(first, second):
    a, b = (set(s.lower().split()) for s in (first, second))
    return len(a & b) / len(a | b)


# %% exercise="4.4"
keep = overlap < 0.3

# %% wrong="4.4" advice="Overlap still differs by"
keep = overlap >= 0

# %% wrong="4.4" advice="too few of one"
keep = overlap == 1

# %% wrong="4.4" advice="Answer with 80 truth values"
keep = 0.5

# %% exercise="4.5"
my_pair = course.attend(model, "The dog bit the man .", "The man bit the dog .")
