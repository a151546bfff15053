"""Recipes of whole experiments: who runs against whom, and what is compared."""
