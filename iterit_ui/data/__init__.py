"""The Data screen: load a pool, see what is wrong with it, and do something about it."""
