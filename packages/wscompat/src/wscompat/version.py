"""The version of wscompat, under the names that programs written for websockets read."""

__all__ = ["commit", "tag", "version"]

tag = version = commit = "0.1.0"
