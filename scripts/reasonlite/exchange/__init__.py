"""Other systems' files in and out, so far ReasonLite's JSON Lines.

It gives tables in this workflow's schemas from theirs, and theirs from ours. It never starts an engine or changes
a verdict.
"""
