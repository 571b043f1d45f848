"""What the studio does with files, folders and disks that are broken: python -m tools.soak NAME --count N --seed S.

Everything is made from a seed, so a line of a table can be had again. Nothing that ships imports it.
"""
