"""The report on the store of a study: `page` writes it, `pictures` draws its figures."""
