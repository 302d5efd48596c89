"""The recipes that made the shipped weights: `python -m course.training ROLE --data DIR --out DIR`.

One module a role (`RECIPES`), each with a `RECIPE` (recipe.py); around them the training loop (loop.py),
batches, adapters, scores with their intervals, model cards, and the files that `course.load` reads.
"""
