// Waiting for something outside that is away: exponential backoff with jitter, until it answers,
// the run is stopped, or `--fail-fast` says not to wait.

import Contracts
import Environment

struct Patience {
    let context: ConnectorContext

    /// Codes that mean "not now": the cluster may come back.
    private static let passing: Set<String> = [
        "kafka.transport", "kafka.all_brokers_down", "kafka.timed_out", "kafka.resolve",
        "kafka.timed_out_queue", "kafka.leader_not_available", "kafka.not_leader_for_partition",
        "kafka.coordinator_not_available", "kafka.coordinator_load_in_progress",
        "kafka.not_coordinator", "kafka.network_exception", "kafka.request_timed_out",
        "kafka.broker_not_available", "kafka.wait_coord", "kafka.state", "kafka.node_update",
        "kafka.not_coordinator_for_group", "kafka.coordinator_load", "kafka.noent",
    ]

    /// Codes that mostly stay, and yet a broker that is just starting causes them, too.
    private static let doubtful: Set<String> = [
        "kafka.authentication", "kafka.sasl_authentication_failed", "kafka.ssl",
        "kafka.unknown_partition", "kafka.unknown_topic_or_part",
    ]
    /// Attempts that a doubtful one gets: some ten seconds.
    private static let doubtLimit = 8

    static func isPassing(_ failure: Failure) -> Bool { passing.contains(failure.code) }

    /// Calls `body` until it answers; each wait shows in the log.
    func wait<Value>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        var milliseconds: UInt64 = 100
        var doubts = 0
        while true {
            do {
                return try body()
            } catch {
                let isDoubtful = Patience.doubtful.contains(error.code)
                doubts += isDoubtful ? 1 : 0
                let mayPass = isDoubtful ? doubts < Patience.doubtLimit : Patience.isPassing(error)
                guard mayPass, !context.failFast, !context.isStopping() else { throw error }
                context.log(
                    LogLine(
                        .warning, error.message,
                        [("code", error.code), ("retry_ms", String(milliseconds))]))
                let jitter = Entropy.system.next() % (milliseconds / 2)
                context.clock.sleep(UInt32((milliseconds / 2 + jitter) * 1_000))
                milliseconds = min(milliseconds * 2, 5_000)
            }
        }
    }
}
