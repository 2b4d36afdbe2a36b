"""A night: the commits since the last one measured by asv, judged by the gate, told by the report."""
