"""`python -m sqsim.cli`: the same as `sqsim`."""

from sqsim.cli import main

main()
