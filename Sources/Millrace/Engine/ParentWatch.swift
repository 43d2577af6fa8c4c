// No child outlives the command that started it: not Ctrl-C twice, not kill -9 of the parent.
//
// The parent holds the writing end of a pipe that is the child's standard input and never writes.
// Whatever ends the parent, the kernel closes that end, and the child reads the end of its input.

import Environment
import Foundation
import Glibc

enum ParentWatch {
    /// Set in children only; their standard input is the pipe.
    static let variable = "MILLRACE_ENDS_WITH_STDIN"

    /// In a child: ends it at once when its parent is gone, as a second SIGTERM would; what was
    /// committed stays. Elsewhere nothing.
    static func startIfAsked() {
        guard environmentValue(variable) == "1" else { return }
        let thread = Thread {
            while let bytes = try? FileHandle.standardInput.read(upToCount: 1), !bytes.isEmpty {}
            _exit(143)
        }
        thread.name = "parent"
        thread.start()
    }

    /// In the parent: makes `process`, not yet started, one that ends with this one.
    static func attach(_ process: Process) {
        let pipe = Pipe()
        process.standardInput = pipe
        var environment = process.environment ?? ProcessInfo.processInfo.environment
        environment[variable] = "1"
        process.environment = environment
    }
}
