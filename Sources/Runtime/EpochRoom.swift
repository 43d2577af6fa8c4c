// How large an epoch may grow while the one before it is written: workers look themselves, because
// the control thread is busy with the write.

import Synchronization

/// What all workers have for the next barrier, and where sources stop until it comes.
struct EpochRoom: Sendable {
    private let gauges: [WorkerGauges]
    private let limit: Int64

    /// Sources wait at twice `epochLimit`, at least at this.
    private static let least: Int64 = 16 << 20

    /// `epochLimit`: bytes at which a barrier comes early.
    init(_ gauges: [WorkerGauges], _ epochLimit: Int64) {
        self.gauges = gauges
        let (twice, overflow) = epochLimit.multipliedReportingOverflow(by: 2)
        limit = overflow ? .max : max(twice, EpochRoom.least)
    }

    var pendingBytes: Int64 {
        gauges.reduce(0) { $0 + Int64($1.pendingBytes.load(ordering: .relaxed)) }
    }

    var isUsedUp: Bool { pendingBytes >= limit }
}
