"""The audit: what a results folder holds, what changed in it and why, and how each part came to be."""
