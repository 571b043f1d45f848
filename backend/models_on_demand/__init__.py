"""Models on demand: one child process that has the models, and what the app and the command line ask of it.

The app asks through `client` (a sample's text, its token losses) and `question_queue` (answers), which never import
torch; `server` is the child, whose work is in `engine`, `loaded` and `generate`.
"""
