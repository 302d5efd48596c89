"""Which parts of the input an answer rests on: gradients, occlusion, attention; labels and answers in a text."""
