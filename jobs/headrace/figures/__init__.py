"""Dated figures of AWS as data: prices, rates and the shapes of instance types, each with unit, source and date.

Pure data with a typed look-up; nothing here is a guess: what has no source that can be cited is left out, and whoever
asks for it is told that it is not known.
"""
