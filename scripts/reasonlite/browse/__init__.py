"""Pages over a results folder: what a run made, why, and how far it is; served on this machine or written as files.

Gives a web application and a writer of static pages over the same views. Only reads, holds no lock, and knows
nothing of how a step works: it reads tables by their schemas, the manifest and logs.
"""
