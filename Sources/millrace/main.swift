// The `millrace` command: arguments in, exit status out. Everything else is in the library.

import CJemalloc
import Glibc
import Millrace

// A reader that has gone is an error of the write, not the end of the process.
_ = signal(SIGPIPE, SIG_IGN)

exit(
    await runCommandLine(
        Array(CommandLine.arguments.dropFirst()), runner: EngineRunner(), terminal: .process()))
