"""The engine against its own promises: the language feature by feature, state, the public face, errors, nesting."""
