"""Imports the progress bars of transformers in silence: to be imported before them.

tqdm 4 warns on import in every notebook without ipywidgets, although its plain bar serves as well.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tqdm.auto  # noqa: F401
