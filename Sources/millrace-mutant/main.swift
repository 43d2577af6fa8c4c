// The `millrace` command with one rule of the protocol broken on purpose (`MILLRACE_MUTANT`): the tests
// run it to show that they would notice. Never installed.

import CJemalloc
import Environment
import Glibc
import Millrace

_ = signal(SIGPIPE, SIG_IGN)

guard let mutant = environmentValue("MILLRACE_MUTANT").flatMap(Mutant.init(rawValue:)) else {
    let names = Mutant.allCases.map(\.rawValue).joined(separator: ", ")
    try? StandardOutput.write(Array("MILLRACE_MUTANT must be one of \(names)\n".utf8))
    exit(2)
}
Mutant.activate(mutant)
let status = await runCommandLine(
    Array(CommandLine.arguments.dropFirst()), runner: EngineRunner(), terminal: .process())
// Not exit(3): it would run the libraries' destructors under threads that still use them (RocksDB
// aborts then). What must last has been synced; what was printed was written.
fflush(nil)
_exit(status)
