"""This project as a tool of GradBench, https://github.com/gradbench/gradbench, a check of it, and others beside it.

tool       GradBench's protocol
samples    inputs of its functions, at any size, with right answers
check      our derivatives, relative to their size
beside     our times beside those of another tool; session drives either
"""
