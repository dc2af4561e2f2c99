"""The programs under test: each does the tasks of the benchmark in the fastest way of one library.

They share only the dialogue with the runner. None of them imports another one's library.
"""
