"""What is stated of sqsim's own algorithms, one table of entries for each family.

A new entry is one `Algorithm(...)` in the table of its family; a new family is a module with a
table ALGORITHMS, named in `sqsim.studies.named.FAMILIES`.  tests/test_registry.py then runs every
entry on its example and compares the ledger with the formulas.
"""
