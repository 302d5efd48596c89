"""Inside generation: the lens, layer by layer; generated tokens and what they rest on; neurons; induction heads."""
