"""`python -m watchword`."""

from watchword.cli import main

main()
