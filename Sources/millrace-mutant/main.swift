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
exit(
    await runCommandLine(
        Array(CommandLine.arguments.dropFirst()), runner: EngineRunner(), terminal: .process()))
