"""Which operation of a program is wrong, and the smallest program that still fails in the same way."""
