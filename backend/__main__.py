"""`python -m backend`: the studio in a terminal."""

from backend.cli.commands import main

if __name__ == "__main__":
    main()
