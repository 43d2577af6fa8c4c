// Wall clock, monotonic clock and entropy as values: the only doors to nondeterminism.

import Glibc

/// Time as the process sees it.
public struct Clock: Sendable {
    /// µs since 1970-01-01 UTC.
    public let now: @Sendable () -> Int64
    /// ns since some start; never steps back.
    public let monotonicNanoseconds: @Sendable () -> UInt64
    /// Waits for so many µs.
    public let sleep: @Sendable (UInt32) -> Void

    public init(
        now: @escaping @Sendable () -> Int64,
        monotonicNanoseconds: @escaping @Sendable () -> UInt64,
        sleep: @escaping @Sendable (UInt32) -> Void = Clock.pause(microseconds:)
    ) {
        self.now = now
        self.monotonicNanoseconds = monotonicNanoseconds
        self.sleep = sleep
    }

    public static let system = Clock(
        now: {
            let (seconds, nanoseconds) = read(CLOCK_REALTIME)
            return seconds * 1_000_000 + nanoseconds / 1_000
        },
        monotonicNanoseconds: {
            let (seconds, nanoseconds) = read(CLOCK_MONOTONIC)
            return UInt64(seconds) * 1_000_000_000 + UInt64(nanoseconds)
        })

    /// Sends the calling thread to sleep.
    public static func pause(microseconds: UInt32) { _ = usleep(microseconds) }

    /// CPU time of the whole process, µs (user and system).
    public static func processCPUMicroseconds() -> Int64 {
        let (seconds, nanoseconds) = read(CLOCK_PROCESS_CPUTIME_ID)
        return seconds * 1_000_000 + nanoseconds / 1_000
    }

    private static func read(_ clock: clockid_t) -> (Int64, Int64) {
        var time = timespec()
        // SAFETY: the pointer is to a local that outlives the call.
        _ = unsafe clock_gettime(clock, &time)
        return (Int64(time.tv_sec), Int64(time.tv_nsec))
    }
}

/// Random numbers that must differ between processes: ids and incarnations.
public struct Entropy: Sendable {
    public let next: @Sendable () -> UInt64

    public init(next: @escaping @Sendable () -> UInt64) { self.next = next }

    public static let system = Entropy {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    /// A version 4 UUID.
    public func uuid() -> String {
        let high = next() & 0xffff_ffff_ffff_0fff | 0x4000
        let low = next() & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000
        let digits = hexadecimal(high) + hexadecimal(low)
        let cuts = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
        let characters = Array(digits)
        return cuts.map { String(characters[$0]) }.joined(separator: "-")
    }

    private func hexadecimal(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
