"""tools/check on small trees made for the purpose: each test shows one rule broken, and the same tree with it kept."""
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))
from checks import banned, built, docs, layout, rooms, tree  # noqa: E402

ROOMS = "base:\nmodel: base\ngateway: base model\n! grpcpp/: gateway\n"


@pytest.fixture
def make(tmp_path):
    def build(files):
        for name, text in {"src/ROOMS": ROOMS, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tree.Tree(tmp_path)
    return build


def texts(problems):
    return "\n".join(str(p) for p in problems)


def test_an_include_of_a_lower_room_is_allowed(make):
    assert rooms.check_includes(make({"src/model/row.h": '#include "base/status.h"\n'})) == []


def test_an_include_of_a_higher_room_is_refused(make):
    found = rooms.check_includes(make({"src/base/status.h": '#include "model/row.h"\n'}))
    assert "src/base/status.h:1: base may not include model" in texts(found)


def test_a_guarded_header_is_refused_outside_its_room(make):
    files = {"src/model/row.cc": "#include <grpcpp/grpcpp.h>\n", "src/gateway/wire.cc": "#include <grpcpp/grpcpp.h>\n"}
    found = rooms.check_includes(make(files))
    assert [p.path for p in found] == ["src/model/row.cc"]


def test_an_include_relative_to_the_folder_is_refused(make):
    assert "full path" in texts(rooms.check_includes(make({"src/model/row.cc": '#include "row.h"\n'})))


def test_the_map_cannot_hold_a_cycle(make):
    found = rooms.check_includes(make({"src/ROOMS": "base: model\nmodel: base\n"}))
    assert "base names model, which is not above it" in texts(found)


def test_a_room_without_a_readme_is_named(make):
    found = rooms.check_readmes(make({"src/model/row.h": "", "src/base/a.h": "", "src/base/README.md": "x\n"}))
    assert [p.path for p in found] == ["src/model/README.md"]


def test_a_readme_of_41_lines_is_too_long(make):
    assert rooms.check_readmes(make({"src/base/a.h": "", "src/base/README.md": "x\n" * 40})) == []
    assert len(rooms.check_readmes(make({"src/base/a.h": "", "src/base/README.md": "x\n" * 41}))) == 1


def test_a_long_file_needs_a_reason_and_a_very_long_one_is_refused(make):
    files = {"src/base/a.cc": "// a\n" * 601, "src/base/b.cc": "// b. Long: a table\n" + "//\n" * 700,
             "src/base/c.cc": "// c. Long: a table\n" + "//\n" * 1000}
    assert [p.path for p in layout.check_sizes(make(files))] == ["src/base/a.cc", "src/base/c.cc"]


def test_a_source_that_no_cmake_names_is_dead(make):
    files = {"src/base/CMakeLists.txt": "room(NAME base SOURCES a.cc io/b.cc)\n# c.cc\n", "src/base/a.cc": '#include "base/a.h"\n',
             "src/base/io/b.cc": "", "src/base/c.cc": "", "src/base/a.h": "", "src/base/d.h": ""}
    assert sorted(p.path for p in layout.check_listed(make(files))) == ["src/base/c.cc", "src/base/d.h"]


@pytest.mark.parametrize("line", ["std::this_thread::sleep_for(1ms);", "auto t = std::chrono::system_clock::now();", "std::thread(run).join();",
                                  "worker.detach();", "std::regex r;", "assert(x);", "#include <regex>", "int x; // TO" + "DO later"])
def test_a_banned_call_is_found(make, line):
    assert len(banned.check_calls(make({"src/model/a.cc": line + "\n"}))) == 1


@pytest.mark.parametrize("line", ["// sleep_for() is banned", 'Log("std::regex");', "static_assert(sizeof(x) == 8);", "std::thread worker_;",
                                  "sleep_for(1ms);  // check: allow sleep_for: the test of the clock itself", "EXPECT_ASSERT(x);"])
def test_what_only_looks_like_a_banned_call_is_not(make, line):
    assert banned.check_calls(make({"src/model/a.cc": line + "\n"})) == []


def test_base_may_make_threads(make):
    assert banned.check_calls(make({"src/base/executor.cc": "std::thread(run);\n"})) == []


def test_a_path_of_one_machine_is_found(make):
    home = "/" + "home/me/data"
    assert len(banned.check_paths(make({"src/base/a.cc": f'Open("{home}");\n'}))) == 1
    assert banned.check_paths(make({"src/base/a.cc": 'Open("build/work/x"); Open("$HOME/tmp/x");\n'})) == []


def test_a_dead_link_and_an_open_fence_are_found(make):
    files = {"README.md": "# Top\n[a](docs/a.md) [b](docs/b.md) [top](#top) [gone](#gone) [out](https://x.y)\n", "docs/a.md": "[up](../README.md#top)\n```\ncode\n"}
    found = texts(docs.check_links(make(files)))
    assert "docs/b.md, which is not there" in found and "#gone" in found and "docs/a.md:2: opens a code fence" in found
    assert found.count("\n") == 2


def test_what_was_green_is_not_looked_at_again_until_it_changes(make):
    source, seen = make({"src/base/a.cc": "1", "src/base/b.cc": "2"}), []
    one = lambda path: seen.append(path) or ([tree.Problem(path, 0, "bad")] if path.endswith("b.cc") else [])
    source.check_changed("t", source.select(".cc"), one, workers=1)
    assert seen == ["src/base/a.cc", "src/base/b.cc"]
    again = tree.Tree(source.root)
    again.check_changed("t", again.select(".cc"), one, workers=1)
    assert seen[2:] == ["src/base/b.cc"], "only the green file is remembered"
    (source.root / "src/base/a.cc").write_text("3")
    third = tree.Tree(source.root)
    third.check_changed("t", third.select(".cc"), one, workers=1)
    assert seen[3:] == ["src/base/a.cc", "src/base/b.cc"]
    assert len(third.check_changed("t", third.select(".cc"), one, "another config", workers=1)) == 1 and len(seen) == 7


def test_a_file_is_looked_at_again_when_a_header_behind_its_headers_changes(make):
    files = {"src/base/a.h": "1\n", "src/base/b.h": '#include "base/a.h"\n', "src/base/c.h": "3\n",
             "src/base/b.cc": '#include "base/b.h"\n', "src/base/c.cc": '#include "base/c.h"\n#include "milvus.pb.h"\n',
             "api/proto/milvus.proto": "message A {}\n"}
    root, seen = make(files).root, []

    def look():
        source = tree.Tree(root)
        del seen[:]
        source.check_changed("t", source.select(".cc"), lambda path: seen.append(path) or [], seen=source.with_includes, workers=1)
        return seen

    assert look() == ["src/base/b.cc", "src/base/c.cc"] and look() == []
    (root / "src/base/a.h").write_text("2\n")
    assert look() == ["src/base/b.cc"]
    (root / "api/proto/milvus.proto").write_text("message B {}\n")
    assert look() == ["src/base/c.cc"]


def test_a_script_that_does_not_parse_is_found(make):
    files = {"tools/a.py": "def f(:\n", "tools/b.sh": "if then\n", "test": "#!/usr/bin/env bash\nif then\n", "tools/ok.py": "x = 1\n"}
    assert sorted(p.path for p in layout.check_scripts(make(files))) == ["test", "tools/a.py", "tools/b.sh"]


SERVER = "#!/bin/sh\necho \"says $1\"\n"
README = "# X\n<!-- printed by `elanus rpcs`: tools/print-docs writes it anew -->\n{}<!-- end -->\nmore\n"


def with_server(source):
    program = source.root / "build/release/elanus"
    program.parent.mkdir(parents=True)
    program.write_text(SERVER)
    program.chmod(0o755)
    return source


def test_pages_must_be_what_the_server_prints(make):
    good = {"README.md": README.format("says rpcs\n"), "docs/ops/config.md": "says knobs\n"}
    assert built.check_printed(with_server(make(good))) == []


def test_a_page_that_the_server_prints_otherwise_is_named(make):
    found = built.check_printed(with_server(make({"README.md": README.format("old\n"), "docs/ops/config.md": "says knobs\n"})))
    assert [p.path for p in found] == ["README.md"]


def test_a_readme_without_the_place_for_the_table_is_named(make):
    found = built.check_printed(with_server(make({"README.md": "# X\n", "docs/ops/config.md": "says knobs\n"})))
    assert "lacks the marks" in texts(found)


DYNAMIC = """ 0x01 (NEEDED)  Shared library: [libsimdjson.so.14]
 0x01 (NEEDED)  Shared library: [libc.so.6]
 0x1d (RUNPATH) Library runpath: [$ORIGIN/lib]
"""


def test_a_library_of_every_debian_or_of_lib_is_allowed():
    assert built.judge_linkage(DYNAMIC, ["libsimdjson.so.14"]) == []


@pytest.mark.parametrize("dynamic, beside, told", [
    (DYNAMIC + " 0x01 (NEEDED)  Shared library: [libz.so.1]\n", ["libsimdjson.so.14"], "needs libz.so.1"),
    (DYNAMIC, [], "does not lie in lib/"),
    (DYNAMIC, ["libsimdjson.so.14", "libfmt.so.9"], "does not need it"),
    (DYNAMIC.replace("$ORIGIN/lib", "/opt/lib"), ["libsimdjson.so.14"], "not in $ORIGIN/lib"),
])
def test_linkage_names_what_would_be_missing_elsewhere(dynamic, beside, told):
    assert told in "\n".join(built.judge_linkage(dynamic, beside))
