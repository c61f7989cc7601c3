"""The audit: what a results folder holds, what changed in it and why, and how each part came to be.

It gives the code identity of a rule, manifests, their differences with causes, lineage and releases. It never
knows what a step computes, only what it read and wrote.
"""
