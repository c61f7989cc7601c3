"""What the rule files ask: names, options and identities of jobs, the checks before a run,
what is shown while it goes on, and the summary after it.

It gives plain text and plain values to Snakemake's rules. It never does a step's work, and what every job reads of
it imports nothing heavy.
"""
