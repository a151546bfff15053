"""What no learner can do, with the reason."""
