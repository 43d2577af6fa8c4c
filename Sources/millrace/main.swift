// The `millrace` command: arguments in, exit status out. Everything else is in the library.

import CJemalloc
import Glibc
import Millrace

// A reader that has gone is an error of the write, not the end of the process.
_ = signal(SIGPIPE, SIG_IGN)

let status = await runCommandLine(
    Array(CommandLine.arguments.dropFirst()), runner: EngineRunner(), terminal: .process())
// Not exit(3): it would run the libraries' destructors under threads that still use them (RocksDB
// aborts then). What must last has been synced; what was printed was written.
fflush(nil)
_exit(status)
