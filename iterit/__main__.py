"""The command `iterit`: the same as `python -m backend`, and `iterit app` opens the app."""

from backend.cli.commands import main as command_line


def main() -> None:
    """Run the command line and exit with its code."""
    command_line(name="iterit")


if __name__ == "__main__":
    main()
