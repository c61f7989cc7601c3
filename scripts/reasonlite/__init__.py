"""reasonlite: the library behind the workflow's scripts, in rooms named after the workflow's stages.

What each room may import is written down in pyproject.toml and checked. No room but ``workflow`` is made for
Snakemake, and none imports it.
"""
