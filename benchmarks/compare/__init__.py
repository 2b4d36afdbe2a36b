"""Every workload on every engine in one run.

contest     engines take turns, each in a process of its own
worker      what runs in such a process
tables      what is shown of it, and the README's table; plots as figures
"""
