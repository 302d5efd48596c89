"""Images: what a person gives, what a model reads of it, and the patches in which it reads."""
