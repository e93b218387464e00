"""The checks behind tools/check, by subject. Each takes a tree.Tree and returns the problems it found."""
