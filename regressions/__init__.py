"""Reported bugs as runnable cases (`cases/`), the engines they are asked of (`adapters/`), the engine's conformance."""
