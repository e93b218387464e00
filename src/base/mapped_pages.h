// The resident pages of a mapped file. Called by worker/ once a file has been checked.
// Threads: any.
#pragma once

#include <cstddef>

#include "base/file_system.h"

namespace elanus {

/// The deleter of a MappedFile's owner where the bytes are a mapping of a file: ends it.
struct Unmap {
  size_t bytes = 0;
  void operator()(const void* start) const;
};

/// Gives back the resident pages of a mapped file, or of the part of it that `file.bytes` names:
/// what is read again comes back from the page cache of the kernel. Does nothing when the bytes are
/// memory of our own, which it would lose.
void ReleasePages(const MappedFile& file);

/// What lies there will be read a few hundred bytes at a time: the kernel need not read ahead.
void ReadsAtRandom(const void* start, size_t bytes);

}  // namespace elanus
