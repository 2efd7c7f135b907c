"""Adamopoulou-Soulantika (2023), machine learning for geophysical applications: phase picking and augmentation.

A thesis that reviews the works of others; its tables of scores are those of Zhu, Mousavi and Beroza (2020).
"""

# Here and not beside the samples: what needs no sample is not stale when they change.
KEY = "adamopoulou2023"
