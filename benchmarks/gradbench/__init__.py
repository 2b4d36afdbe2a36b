"""This project as a tool of GradBench, https://github.com/gradbench/gradbench, and a check of it that is relative."""
