"""Random and mutilated inputs for everything that reads what a person gives.

``python -m tests.fuzz TARGET [--minutes 10] [--engine hypothesis|atheris]``; tests/core/test_fuzz.py does a little of
it, and what once failed lies in ``seeds/TARGET`` and is tried again for ever.
"""
