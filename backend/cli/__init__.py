"""The studio in a terminal: the same functions as on the page, one command each.

Data goes to stdout; messages, progress and tables of progress to stderr. Exit codes: 0 done, 1 an error (its message
on stderr), 2 a wrong command line, 130 stopped. Nothing heavy is imported before a command needs it.
"""
