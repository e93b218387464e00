"""The beginning that the differential scripts share: two servers, how many questions, the seed of chance."""
import argparse

from pymilvus import MilvusClient


def begin(doc, questions, *flags):
    """The arguments and the two clients.

    questions: what the script counts, as its option; flags: further options that are there or not, each with its help.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("uri")
    parser.add_argument("other")
    parser.add_argument(f"--{questions}", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    for flag, what in flags:
        parser.add_argument(flag, action="store_true", help=what)
    args = parser.parse_args()
    return args, [MilvusClient(args.uri), MilvusClient(args.other)]
