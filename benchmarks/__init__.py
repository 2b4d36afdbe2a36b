"""What a gradient costs: beside a gradient written by hand, beside other engines, as programs grow, over commits.

workloads/       the programs: primal, derivative by hand, seeded data
ports/           the same in other engines: a module for each
compare          python -m benchmarks compare: one run, all in turns; worker is what runs in each engine's process,
                 tables and plots are what is shown of it
growth           python -m benchmarks growth: what a longer program costs
gradbench        python -m benchmarks gradbench: a tool of GradBench; gradbench_check is its check that is relative
test_times       pytest benchmarks/: before and after a change of the working tree
history/         the same questions for asv, commit by commit: one question a file
nightly          python -m benchmarks nightly: commits measured by_asv, judged by the gate, told by nightly_report
measure          whether two gradients agree, interleaved timing, call counts, memory
"""
