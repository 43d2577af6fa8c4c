// SIGTERM and SIGINT: the first asks for a final checkpoint, the second ends the process at once.
//
// Caught by a handler that only writes to a pipe, not by blocking them: the main thread and the
// runtime's own threads run before any code of ours could set their masks, and a signal that finds one
// thread without the mask ends the process.

import Environment
import Foundation
import Glibc
import Runtime

enum SignalThread {
    // because it is set once, before the handlers are there, and only read by them.
    private nonisolated(unsafe) static var outlet: Int32 = -1

    /// Waits for both signals on a thread of its own. A second one exits with 143 or 130: what was
    /// committed stays, nothing is lost.
    static func start(_ stop: StopRequest) {
        let pipe = Pipe()
        unsafe outlet = pipe.fileHandleForWriting.fileDescriptor
        for number in [SIGTERM, SIGINT] {
            _ = signal(number) { number in
                let saved = errno
                var byte = UInt8(truncatingIfNeeded: number)
                // SAFETY: one byte of a local; write(2) is among what a handler may call.
                _ = unsafe write(SignalThread.outlet, &byte, 1)
                errno = saved
            }
        }
        let thread = Thread {
            // The writing end lives as long as this closure, so the read never sees an end.
            while let number = try? pipe.fileHandleForReading.read(upToCount: 1)?.first {
                if stop.isRequested { _exit(Int32(number) == SIGTERM ? 143 : 130) }
                stop.request()
            }
        }
        thread.name = "signals"
        thread.start()
    }
}
