"""The colours of heads and layers."""

HEADS = (
    "#004bc3", "#ff961e", "#2d9669", "#b41e0f", "#00b4ff", "#783c87",
    "#78c387", "#c36900", "#a596b4", "#00694b", "#b45ab4", "#6978ff",
)  # fmt: skip
"""Twelve colours, one a head, from the thirteenth on again.

Found by search: the smallest distance between any two (in OKLab) is as large as could be had, for ordinary
sight and for red- and green-blind sight (Machado, Oliveira and Fernandes 2009) at once, and each can be seen
on white and on near-black. As no twelve colours are safe for everyone, a number stands beside each.
"""
