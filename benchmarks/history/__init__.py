"""What gradients cost, commit by commit, for asv: one question a file.

calls            how much work is a gradient, in exact counts?
code             how long is the generated program, and what does it save?
memory           how much memory does a gradient hold, and does it keep any?
growth           do costs grow in step with the program?
ratios           how long does a gradient take beside the program itself, and beside the gradient by hand?
times, tape      wall time, and the size of a process in which a tape grows: charted, not judged by themselves
verdicts         how many pinned bugs are not right?
controls         was the machine busy?

asv measures the `engine/` of a commit with today's benchmarks and cases; see `install_command` in asv.conf.json.
Counts of a commit are taken once, in `asking`, and asv is told them one by one.
"""
