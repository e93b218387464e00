# Flags for all code of ours: warnings are errors, plain x86-64 (kernels pick their own instruction set at
# run time, file by file), mold as linker, line tables in release so that a stack trace names lines.
add_library(elanus_flags INTERFACE)
target_compile_options(elanus_flags INTERFACE -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers
                                              -Werror -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(elanus_flags INTERFACE -Wthread-safety -Wno-unused-command-line-argument -gline-tables-only)
else()
  # g++ 12 reports false positives of these in libstdc++ and in its own header of AVX-512, at -O2; googletest's macros under
  # an `if` look to it like a dangling else.
  target_compile_options(elanus_flags INTERFACE -g1 -Wno-maybe-uninitialized -Wno-uninitialized -Wno-array-bounds
                                                -Wno-stringop-overflow -Wno-dangling-pointer -Wno-restrict
                                                -Wno-stringop-overread -Wno-free-nonheap-object -Wno-interference-size
                                                -Wno-dangling-else)
endif()
target_include_directories(elanus_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_options(elanus_flags INTERFACE -fuse-ld=mold)
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_DEBUG "-O1")
if(ELANUS_SANITIZE)
  target_compile_options(elanus_flags INTERFACE -fsanitize=${ELANUS_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(elanus_flags INTERFACE -fsanitize=${ELANUS_SANITIZE})
  target_compile_definitions(elanus_flags INTERFACE ELANUS_SANITIZED=1)
endif()
