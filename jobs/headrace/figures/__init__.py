"""Dated figures of AWS as data: prices, rates and the shapes of instance types, each with unit, source and date.

Pure data with a typed look-up. A price or a shape without a source that can be cited is left out, and whoever asks for
it is told that it is not known. A rate of which no measurement was found is marked ``assumed``.
"""
