"""Scores: metrics with intervals from judged benchmark answers, comparisons of models, and tests of programs.

It gives the tables of results and, for benchmarks with tests, their verdicts from a sandbox. It never knows how a
model was made or how its answers were drawn.
"""
