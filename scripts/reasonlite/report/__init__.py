"""What a reader sees of a whole run: figures, the funnel of the data, distributions, and what the run has taken.

It gives what lies under ``tables/`` and ``figures/`` beside the scores. It never computes anything that a step
before it has decided.
"""
