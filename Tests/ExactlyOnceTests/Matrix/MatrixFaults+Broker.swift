// Brokers that die or stand still, and connections that are cut, slow or narrow: on a broker of the
// matrix's own, one case after the other.

import Foundation
import Glibc
import PythonSupport
import Testing

/// A broker that may be hurt, reached directly by the test and through a proxy by the engine.
// because one case at a time uses it.
final class MatrixBroker: @unchecked Sendable {
    let broker: OwnBroker
    let proxy: Toxiproxy?
    let bench: MatrixBench

    init() throws {
        let proxy = try Toxiproxy()
        broker = try OwnBroker(proxyPort: proxy?.port)
        try proxy?.forward(to: broker.proxiedPort)
        self.proxy = proxy
        bench = try MatrixBench(servers: broker.servers)
    }

    /// Where the engine looks for it.
    var servers: String { proxy?.servers ?? broker.servers }
}

/// A case that has the broker to itself.
struct BrokerCase: Sendable {
    let name: String
    let isQuick: Bool
    let body: @Sendable (MatrixBroker) throws -> MatrixOutcome

    static let all = [
        BrokerCase(name: "the broker is killed and started again", isQuick: true) { broker in
            try disturbed(broker, at: "kafka.committed", 3) { _ in
                broker.broker.kill()
                usleep(1_500_000)
                try broker.broker.start()
                return "SIGKILL to the broker"
            }
        },
        BrokerCase(name: "the broker stands still, longer than a transaction may last", isQuick: false) {
            broker in
            try disturbed(broker, at: "kafka.flushed", 3) { _ in
                broker.broker.signal(SIGSTOP)
                usleep(4_000_000)
                broker.broker.signal(SIGCONT)
                return "the broker stopped for 4 s, transactions for 1 s"
            }
        },
        BrokerCase(name: "F21: the engine stands still, longer than a transaction may last", isQuick: false) {
            broker in
            try disturbed(broker, at: "kafka.flushed", 3) { run in
                run.signal(SIGSTOP)
                usleep(4_000_000)
                run.signal(SIGCONT)
                return "the engine stopped for 4 s, transactions for 1 s"
            }
        },
        BrokerCase(name: "the connection is cut and comes back", isQuick: true) { broker in
            try proxied(broker) { proxy in
                try proxy.set(isEnabled: false)
                usleep(2_000_000)
                try proxy.set(isEnabled: true)
                return "cut for 2 s"
            }
        },
        BrokerCase(name: "the connection is reset after every few bytes, for a while", isQuick: false) {
            broker in
            try proxied(broker) { proxy in
                try proxy.add("limit_data", "{\"bytes\": 3000}")
                usleep(3_000_000)
                try proxy.clear()
                return "each connection cut after 3,000 bytes, for 3 s"
            }
        },
        BrokerCase(name: "the connection is delayed by 300 ms", isQuick: false) { broker in
            try proxied(broker) { proxy in
                try proxy.add("latency", "{\"latency\": 300}")
                usleep(4_000_000)
                try proxy.clear()
                return "300 ms a packet, for 4 s"
            }
        },
        BrokerCase(name: "the connection is throttled to 20 kB/s", isQuick: false) { broker in
            try proxied(broker) { proxy in
                try proxy.add("bandwidth", "{\"rate\": 20}")
                usleep(4_000_000)
                try proxy.clear()
                return "20 kB/s, for 4 s"
            }
        },
    ]

    private static func disturbed(
        _ broker: MatrixBroker, at place: String, _ count: Int,
        _ disturb: (RunningCommand) throws -> String
    ) throws -> MatrixOutcome {
        var options = MatrixRig.Options()
        options.fetchMilliseconds = 100
        options.source = ", \"kafka.reconnect.backoff.max.ms\" = '300'"
        options.kafkaSink = ", \"kafka.transaction.timeout.ms\" = '1000'"
        let rig = try MatrixRig(
            .everything, broker.bench, servers: broker.servers, options: options)
        var outcome = MatrixOutcome()
        let run = try rig.start()
        let isThere = KafkaFixture.wait { rig.passed.count(place) >= count }
        try #require(isThere, "never \(count) times at \(place)")
        outcome.strikes.append(try disturb(run))
        if rig.passed.names.contains("run.trims_written") {
            outcome.faults.append("it was over before it was disturbed")
        }
        outcome.faults += try rig.faults(run.end(within: 180))
        return outcome
    }

    private static func proxied(
        _ broker: MatrixBroker, _ disturb: (Toxiproxy) throws -> String
    ) throws -> MatrixOutcome {
        guard let proxy = broker.proxy else { throw Toxiproxy.Missing() }
        return try disturbed(broker, at: "kafka.committed", 3) { _ in try disturb(proxy) }
    }
}
