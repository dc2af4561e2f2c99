"""The version of wscompat, under the names that programs written for websockets read."""

__all__ = ["commit", "model", "tag", "version"]

tag = version = commit = "0.1.0"

model = "17.4"
"""The release of websockets that wscompat does the same as."""
