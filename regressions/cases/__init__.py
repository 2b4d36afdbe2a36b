"""The pinned bugs, one file a topic: data and small programs in plain NumPy."""
