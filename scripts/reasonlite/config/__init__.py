"""What may be configured: closed models of the experiment and its parts, each key described with its unit.

It gives a checked ``Config`` or a message that names key, value and choices. It never knows where anything runs
(that is in profiles) or how a step is done.
"""
