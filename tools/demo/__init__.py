"""The embedded demo: a small made-up world, a pool drawn from it, and a tiny model that knows it.

`build` is the entry point; it generates everything under `assets/demo` from the text in `tables/`.
"""
