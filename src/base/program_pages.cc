#include "base/program_pages.h"

#include <link.h>
#include <sys/mman.h>

#include <cstdint>

namespace elanus {
namespace {

constexpr uintptr_t kPage = 4096;

int ReleaseObject(dl_phdr_info* object, size_t /*size*/, void* /*data*/) {
  for (size_t i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& part = object->dlpi_phdr[i];
    // Parts that may be written hold what the file does not, such as addresses put in at the start.
    if (part.p_type != PT_LOAD || (part.p_flags & PF_W) != 0) continue;
    const uintptr_t first = (object->dlpi_addr + part.p_vaddr) / kPage * kPage;
    const uintptr_t last = (object->dlpi_addr + part.p_vaddr + part.p_memsz) / kPage * kPage;
    if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void ReleaseProgramPages() { ::dl_iterate_phdr(ReleaseObject, nullptr); }

}  // namespace elanus
