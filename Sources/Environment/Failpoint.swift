// Named places where a test can stop the process, and a log of the places passed.
//
// `MILLRACE_FAILPOINT=name` kills the process (SIGKILL to itself) the first time it comes by
// `name`; `name@7` the seventh time; `name=error` makes the place fail instead of dying;
// `name=stop` stops the process (SIGSTOP) until somebody lets it go on; several are separated by
// commas. A place that several sinks come by names its subject, too: `name:subject@7` waits for
// that sink's seventh pass. `MILLRACE_FAILPOINT_LOG=path` appends each name, with its subject, as
// it is passed: a write(2) survives a kill, so the last line says where a kill struck. Without
// either variable a pass costs one load.

public import Contracts
import Glibc
import Synchronization

public enum Failpoint {
    /// What is set for a name.
    private struct Trigger {
        let hit: Int
        let effect: Effect
    }

    private enum Effect: String, CaseIterable {
        case kill, error, stop
    }

    private static let triggers = parse(environmentValue("MILLRACE_FAILPOINT") ?? "")
    private static let logDescriptor: Int32 = openLog()
    private static let isOn = !triggers.isEmpty || logDescriptor >= 0
    private static let hits = Mutex<[String: Int]>([:])

    /// Notes that the process is at `name`; dies here if it was asked to.
    @inline(__always)
    public static func pass(_ name: StaticString) {
        if isOn { _ = reach(name.description) }
    }

    /// The same, of a sink or an epoch: the subject's first word can be asked for.
    @inline(__always)
    public static func pass(_ name: StaticString, _ subject: @autoclosure () -> String) {
        if isOn { _ = reach(name.description, subject()) }
    }

    /// Like `pass`, for places that can fail: throws if the test asked for an error.
    @inline(__always)
    public static func passOrFail(_ name: StaticString) throws(Failure) {
        if isOn, reach(name.description) {
            throw Failure(.failed, "failpoint", "failed at failpoint \(name) as asked")
        }
    }

    /// Whether a test asked this place to fail, for failures that are answers.
    @inline(__always)
    public static func fails(_ name: StaticString) -> Bool {
        isOn && reach(name.description)
    }

    private static func reach(_ name: String, _ subject: String = "") -> Bool {
        if logDescriptor >= 0 {
            let line = Array((subject.isEmpty ? "\(name)\n" : "\(name) \(subject)\n").utf8)
            // SAFETY: the array outlives the call and its count is passed with it.
            _ = unsafe line.withUnsafeBytes {
                unsafe write(logDescriptor, $0.baseAddress, $0.count)
            }
        }
        if isDue(name) { return true }
        guard let first = subject.split(separator: " ").first else { return false }
        return isDue("\(name):\(first)")
    }

    /// Counts the pass; dies here or gives true if it is the one that was asked for.
    private static func isDue(_ name: String) -> Bool {
        guard let trigger = triggers[name] else { return false }
        let hit = hits.withLock { counts in
            counts[name, default: 0] += 1
            return counts[name, default: 0]
        }
        guard hit == trigger.hit else { return false }
        switch trigger.effect {
        case .error: return true
        case .stop: kill(getpid(), SIGSTOP)
        case .kill: kill(getpid(), SIGKILL)
        }
        return false
    }

    private static func parse(_ text: String) -> [String: Trigger] {
        var triggers: [String: Trigger] = [:]
        for part in text.split(separator: ",") {
            let effect = Effect.allCases.first { part.hasSuffix("=" + $0.rawValue) }
            let name = effect.map { part.dropLast($0.rawValue.count + 1) } ?? part
            let pieces = name.split(separator: "@")
            guard let first = pieces.first else { continue }
            let hit = pieces.count > 1 ? Int(pieces[1]) ?? 1 : 1
            triggers[String(first)] = Trigger(hit: hit, effect: effect ?? .kill)
        }
        return triggers
    }

    private static func openLog() -> Int32 {
        guard let path = environmentValue("MILLRACE_FAILPOINT_LOG") else { return -1 }
        return openFile(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC)
    }
}
