"""How fast the collection is: ratios measured in pairs within one run. Start with ``make bench``."""
