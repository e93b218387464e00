"""What the end-to-end tests, the crash test and the benchmarks share: the server as a process, and slow right answers."""
