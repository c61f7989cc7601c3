"""reasonlite: the library behind the workflow's scripts. It knows nothing of Snakemake."""
