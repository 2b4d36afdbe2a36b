"""What broke a gradient or made it slow: a search along commits, releases or the passes of the engine."""
