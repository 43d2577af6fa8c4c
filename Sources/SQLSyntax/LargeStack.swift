// Runs a piece of work on a thread with a large stack: the grammar and its tree printer recurse as
// deep as a statement nests.

import Contracts
import Glibc

/// Virtual size; pages that nobody touches cost nothing. A statement of 64 KiB nests at most 65,536
/// deep, and a level takes well under 4 KiB in libpg_query.
private let stackByteCount = 512 << 20

/// What the thread takes in and gives back. Written by the thread only, read after its end.
private final class Work<Result> {
    let body: () -> Result
    var result: Result?

    init(_ body: @escaping () -> Result) { self.body = body }

    func run() { result = body() }
}

/// A class reference without its generic type, as a thread's C entry can't be generic.
private protocol Runnable: AnyObject {
    func run()
}

extension Work: Runnable {}

private final class Entry {
    let work: any Runnable

    init(_ work: any Runnable) { self.work = work }
}

/// Calls `body` on a new thread and waits for its end. The caller sees everything that `body`
/// wrote.
func withLargeStack<Result>(_ body: @escaping () -> Result) throws(Failure) -> Result {
    let work = Work(body)
    let entry = Entry(work)
    var attributes = pthread_attr_t()
    // SAFETY: `attributes` outlives its use by pthread_create and is destroyed on each way out.
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, stackByteCount)
    var thread = pthread_t()
    // SAFETY: the retained entry is taken over (released) by the thread, exactly once.
    let argument = unsafe Unmanaged.passRetained(entry)
    let code = unsafe pthread_create(
        &thread, &attributes,
        { argument in
            // SAFETY: the argument is the entry retained for this thread.
            let entry = unsafe Unmanaged<Entry>.fromOpaque(argument.required("entry"))
                .takeRetainedValue()
            entry.work.run()
            return nil
        }, argument.toOpaque())
    guard code == 0 else {
        unsafe argument.release()
        throw Failure(
            .failed, "sql.thread", "can't start the parser's thread: error \(code)",
            hint: "raise the limit of memory or of threads (ulimit -v, ulimit -u)")
    }
    // Joined exactly once.
    pthread_join(thread, nil)
    return work.result.required("the thread ended without a result")
}
