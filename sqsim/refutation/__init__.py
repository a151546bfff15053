"""A machine that looks for the instance on which a learner fails."""
