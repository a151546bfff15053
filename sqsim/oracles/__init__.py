"""Who answers: means, policies inside the tolerance, and the oracles made of them."""
