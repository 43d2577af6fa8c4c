// SIGTERM and SIGINT: the first asks for a final checkpoint, the second ends the process at once.
//
// A handler, not a blocked mask and sigwait: threads that were there before (Swift's own pool among
// them) don't block the signals, and one such thread is enough for the process to die.

import Environment
import Foundation
import Glibc
import Runtime

enum SignalThread {
    /// The handler writes a signal's number here and the thread reads it: descriptors of one pipe.
    private static let pipe: (reading: Int32, writing: Int32) = {
        var descriptors: [Int32] = [-1, -1]
        // SAFETY: the array has room for the two descriptors that pipe stores.
        guard unsafe Glibc.pipe(&descriptors) == 0 else { return (-1, -1) }
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        return (descriptors[0], descriptors[1])
    }()

    /// From now on both signals are handled. A second one exits with 143 or 130: what was committed
    /// stays, nothing is lost. With a sentence, the first does: what keeps nothing has nothing to
    /// finish, and part of a result must not look like one. Called once a process.
    static func start(_ stop: StopRequest, whatEndsAtOnce: String? = nil) {
        // Made here, for a handler may not make it.
        guard pipe.reading >= 0 else { return }
        let thread = Thread { SignalThread.wait(stop, whatEndsAtOnce) }
        thread.name = "signals"
        thread.start()
        for number in [SIGTERM, SIGINT] {
            // The handler calls write(2) only, which is safe in one, and keeps errno.
            _ = signal(number) { number in
                let kept = errno
                var byte = UInt8(truncatingIfNeeded: number)
                // SAFETY: one byte is written from a local.
                _ = unsafe write(SignalThread.pipe.writing, &byte, 1)
                errno = kept
            }
        }
    }

    private static func wait(_ stop: StopRequest, _ whatEndsAtOnce: String?) {
        var byte: UInt8 = 0
        while true {
            // SAFETY: one byte is read into a local.
            guard unsafe read(pipe.reading, &byte, 1) == 1 else {
                if errno == EINTR { continue }
                return
            }
            if let whatEndsAtOnce {
                try? FileHandle.standardError.write(
                    contentsOf: Data("millrace: \(whatEndsAtOnce)\n".utf8))
            }
            if stop.isRequested || whatEndsAtOnce != nil {
                _exit(Int32(byte) == SIGTERM ? 143 : 130)
            }
            stop.request()
        }
    }
}
