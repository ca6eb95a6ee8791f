"""``python -m understudy`` is the command ``understudy``."""

from .cli import main

if __name__ == "__main__":
    main()
