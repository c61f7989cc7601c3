"""Labels: a problem's answers sorted into classes, the vote over them, and each answer's verdict.

It gives the tables under ``groups/``, ``votes/`` and ``judged/``. It never reads a reply's reasoning, and compares
answers only through the judge.
"""
