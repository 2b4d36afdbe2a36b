"""What a gradient costs: beside a gradient written by hand, as programs grow, and from commit to commit.

workloads/       the programs: primal, hand-written gradient, seeded data; they know no engine
speed            python -m benchmarks speed: one table from one run
gradient_cost    the same questions for asv, commit by commit
measure          whether two gradients agree, interleaved timing, call counts, peak memory
"""
