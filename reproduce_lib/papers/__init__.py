"""The papers: a module each, or a package whose module ``paper`` says which units there are.

They hold what only that paper needs, its models and its unit functions, and never import one another.
"""
