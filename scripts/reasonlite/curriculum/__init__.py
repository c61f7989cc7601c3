"""Training examples: the judged answers that a stratum takes, with their text joined back.

It gives the tables under ``curriculum/``. It never knows how a model is trained on them.
"""
