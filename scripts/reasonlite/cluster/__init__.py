"""The machines that jobs run on: what a Slurm cluster is asked for, what a process finds there, and how it is warned.

It gives checks before submission, an estimate of what a run will take, the listener behind the terminal's summary,
and the watch for Slurm's signals. It never knows what a job computes.
"""
