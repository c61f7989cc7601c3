"""Answers drawn from a model: prompts, engines, the journal that loses nothing, and the parts of a reply.

It gives the tables under ``answers/`` and a benchmark's answers, which are drawn in the same way. It never knows
which answers are right.
"""
