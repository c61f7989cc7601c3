"""Models as folders in the Hugging Face layout: fetched from packages, folders or the hub, with their tokens counted.

It gives a folder that ``from_pretrained`` opens and a fingerprint of its files. It never knows what a model is
used for.
"""
