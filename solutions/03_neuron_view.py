# %% exercise="3.1"
times_larger = float((score[other] - score[cat]).exp())

# %% wrong="3.1" advice="That is the difference of the scores."
times_larger = float(score[other] - score[cat])

# %% wrong="3.1" advice="That is the ratio of the scores."
times_larger = float(score[other] / score[cat])

# %% wrong="3.1" advice="Which is divided by which?"
times_larger = float((score[cat] - score[other]).exp())


# %% exercise="3.2"
def weights_without(parts, neuron):
    rest = parts.sum(1) - parts[:, neuron]
    return rest.softmax(0)


# %% wrong="3.2" advice="That is what this neuron does alone"
def weights_without(parts, neuron):
    return parts[:, neuron].softmax(0)


# %% wrong="3.2" advice="These are scores."
def weights_without(parts, neuron):
    return parts.sum(1) - parts[:, neuron]


# %% wrong="3.2" advice="You took out a key."
def weights_without(parts, neuron):
    return torch.cat([parts[:neuron], parts[neuron + 1 :]]).sum(1).softmax(0)


# %% wrong="3.2" advice="The parts are divided by √d already."
def weights_without(parts, neuron):
    return (parts.sum(1) - parts[:, neuron] / 3**0.5).softmax(0)


# %% wrong="3.2" advice="You changed the parts that were passed in."
def weights_without(parts, neuron):
    parts[:, neuron] = 0
    return parts.sum(1).softmax(0)


# %% exercise="3.3"
remaining = [weights_without(parts_rug, n)[favourite] for n in range(d)]
culprit = int(torch.stack(remaining).argmin())

# %% wrong="3.3" advice="This one has the largest part" profile="shipped"
culprit = int(parts_rug[favourite].argmax())

# %% wrong="3.3" advice="Without this neuron the weight grows"
culprit = int(parts_rug[favourite].argmin())

# %% wrong="3.3" advice="neurons, this one is number"
culprit = int(att.projections.queries[layer, head, rug].abs().argmax())

# %% wrong="3.3" advice="Answer with a whole number from 0"
culprit = d

# %% exercise="3.4"
moved_keys = k + 2 * d**0.5 * q / (q @ q)

# %% wrong="3.4" advice="which moves does softmax not notice?"
moved_keys = 2 * k

# %% wrong="3.4" advice="which moves does softmax not notice?"
moved_keys = k + torch.ones(len(k), 1) * q * torch.arange(len(k)).unsqueeze(1)

# %% wrong="3.4" advice="its product with q must not be 0"
moved_keys = k + torch.stack([q[1], -q[0], *torch.zeros(d - 2)])

# %% wrong="3.4" advice="Make it larger."
moved_keys = k + 0.1 * d**0.5 * q / (q @ q)

# %% wrong="3.4" advice="Give a key for every token"
moved_keys = k[other] + q

# %% exercise="3.5"
travelled = (bare - att.weights).abs().sum(-1).mean(-1)
unmoved = divmod(int(travelled.argmin()), att.heads)

# %% wrong="3.5" advice="This head moves most of all."
unmoved = divmod(int((bare - att.weights).abs().sum(-1).mean(-1).argmax()), att.heads)

# %% wrong="3.5" advice="Have you taken absolute differences?"
unmoved = divmod(int((bare - att.weights).sum(-1).mean(-1).argmin()), att.heads)

# %% wrong="3.5" advice="Give a pair (layer, head)."
unmoved = int((bare - att.weights).abs().sum(-1).mean(-1).argmin())

# %% exercise="3.6"
my_view = course.neuron_view(model, "Time flies like an arrow", layer=1, head=8, query="like")
