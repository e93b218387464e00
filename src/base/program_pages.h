// The resident pages of the program itself: its code and constants, mapped from its file.
// Called by server/ when it is ready and by worker/ after a long job. Threads: any.
#pragma once

namespace elanus {

/// Gives back the pages of code and constants of the program and its libraries. A start or a large
/// job runs through much code that is not needed again soon; what is needed comes back from the
/// kernel's page cache at the first touch. Cost: a system call a mapped part, and afterwards a
/// microsecond for each 64 KiB that are used.
void ReleaseProgramPages();

}  // namespace elanus
