// SIGTERM and SIGINT: the first asks for a final checkpoint, the second ends the process at once.

import Environment
import Foundation
import Glibc
import Runtime

enum SignalThread {
    /// Blocks both signals in all threads (call it before others start) and waits for them on one of
    /// its own. A second signal exits with 143 or 130: what was committed stays, nothing is lost.
    static func start(_ stop: StopRequest) {
        var signals = sigset_t()
        // SAFETY: the set is a local that outlives the calls; sigwait's is the thread's own copy.
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe sigaddset(&signals, SIGINT)
        _ = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        let awaited = signals
        let thread = Thread {
            var set = awaited
            while true {
                var number: Int32 = 0
                _ = unsafe sigwait(&set, &number)
                if stop.isRequested { _exit(number == SIGTERM ? 143 : 130) }
                stop.request()
            }
        }
        thread.name = "signals"
        thread.start()
    }
}
