"""Pieces of ./demo: what is shown while waiting, the word vectors, the build."""
