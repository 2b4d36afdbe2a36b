"""What a gradient costs: beside a gradient written by hand, beside other engines, as programs grow, over commits.

workloads/       the programs: primal, derivative by hand, seeded data
ports/           the same in other engines: a module for each
compare/         python -m benchmarks compare: every engine in one run, all in turns
gradbench/       python -m benchmarks gradbench: a tool of GradBench, its check that is relative, others beside it
rules/           python -m benchmarks rules: the pullback of each rule beside its primal
history/         the same questions for asv, commit by commit: one question a file
nightly/         python -m benchmarks nightly: what became slower since the last time
growth           python -m benchmarks growth: what a longer program costs
asked            one workload on an engine of whatever age, which a bisection asks
measure          whether two gradients agree, interleaved timing, call counts, memory
test_times       pytest benchmarks/: before and after a change of the working tree
"""
