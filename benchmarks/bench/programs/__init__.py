"""The programs under test: each does the tasks of the benchmark as one library does them fastest.

They share nothing but the dialogue with the runner. None of them imports another's library.
"""
