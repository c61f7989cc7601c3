"""The ground floor: files and tables that appear whole or not at all, their schemas, errors, logs and seeds.

It gives every room the same way to read, write and say what went wrong. It never knows problems, models or steps,
and imports no other room.
"""
