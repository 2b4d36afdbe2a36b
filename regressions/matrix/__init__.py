"""Engines by cases by releases: one record each, compared, and shown in a terminal and in a browser."""
