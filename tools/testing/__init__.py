"""Pieces of ./test that are worth testing by themselves."""
