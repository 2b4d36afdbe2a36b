"""The rules of SciPy, a file for each of its chapters or a few: loaded when the program has loaded what they are for.

The table `engine.rules.registry.LATE` says which waits for what.
"""
