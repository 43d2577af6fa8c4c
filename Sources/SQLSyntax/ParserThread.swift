// The one thread that libpg_query runs on.
//
// Its stack is large: the grammar and its tree printer recurse as deep as a statement nests. It
// lives as long as the process, and all calls go through it one after the other, because
// libpg_query makes a pthread key for every thread that calls it and never gives one back (a
// process has 1,024, and OpenSSL, which needs one at its first use, crashes without), and because
// it points the process's stderr elsewhere during a call.

import CPgQuery
import Contracts
import Dispatch
import Glibc
import Synchronization

/// Calls `body` on the parser's thread and waits for its end. The caller sees everything that
/// `body` wrote. Callable from any thread but the parser's own.
func onParserThread<Result>(_ body: @escaping () -> Result) throws(Failure) -> Result {
    try ParserThread.shared().run(body)
}

private final class ParserThread: Sendable {
    /// Virtual size; pages that nobody touches cost nothing. A statement of 64 KiB nests at most
    /// 65,536 deep, and a level takes well under 4 KiB in libpg_query.
    private static let stackByteCount = 512 << 20

    private static let started = Mutex<ParserThread?>(nil)

    private let turn = Mutex(())
    private let handed = Mutex<Work?>(nil)
    private let begin = DispatchSemaphore(value: 0)
    private let end = DispatchSemaphore(value: 0)

    /// A failure to start is the caller's; the next caller tries again.
    static func shared() throws(Failure) -> ParserThread {
        let result = started.withLock { started -> Result<ParserThread, Failure> in
            if let started { return .success(started) }
            let thread = ParserThread()
            if let failure = thread.start() { return .failure(failure) }
            started = thread
            return .success(thread)
        }
        return try result.get()
    }

    func run<Result>(_ body: @escaping () -> Result) -> Result {
        turn.withLock { _ in
            var result: Result?
            let work = Work { result = body() }
            handed.withLock { $0 = work }
            begin.signal()
            end.wait()
            return result.required("the parser's thread gave no result")
        }
    }

    private func serve() {
        while true {
            begin.wait()
            let work = handed.withLock { handed in
                defer { handed = nil }
                return handed.required("the parser's thread was woken without work")
            }
            work.body()
            end.signal()
        }
    }

    private func start() -> Failure? {
        var attributes = pthread_attr_t()
        // SAFETY: `attributes` outlives its use by pthread_create and is destroyed on each way out.
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, ParserThread.stackByteCount)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        // SAFETY: the retained reference is taken over (released) by the thread, exactly once.
        let argument = unsafe Unmanaged.passRetained(self)
        let code = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                // SAFETY: the argument is the reference retained for this thread.
                unsafe Unmanaged<ParserThread>.fromOpaque(argument.required("parser's thread"))
                    .takeRetainedValue().serve()
                return nil
            }, argument.toOpaque())
        guard code != 0 else { return nil }
        unsafe argument.release()
        return Failure(
            .failed, "sql.thread", "can't start the parser's thread: error \(code)",
            hint: "raise the limit of memory or of threads (ulimit -v, ulimit -u)")
    }

    /// because: one thread at a time touches what `body` captures: the caller before `begin` and
    /// after `end`, the parser's in between.
    private final class Work: @unchecked Sendable {
        let body: () -> Void

        init(_ body: @escaping () -> Void) { self.body = body }
    }
}
