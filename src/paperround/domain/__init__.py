"""The words of the product and the rules between them: pure, standard library only.

Everything here is a frozen value or a function of values. Nothing reads a clock, a file,
the environment or the network; whoever calls passes `now`.
"""
