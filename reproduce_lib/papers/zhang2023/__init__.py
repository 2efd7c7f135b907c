"""Zhang et al. (2023): Decoupling DenseNet on AETA signals.

Its experiments live in modules of their own, so that a record depends on the code that it came from and no other.
"""
