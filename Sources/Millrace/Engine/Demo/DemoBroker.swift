// The demo's broker: the one in this process, or a real one with a topic of its own.

import Contracts
import Foundation
import KafkaIO

/// Where the demo's bids go.
final class DemoBroker: Sendable {
    let configuration: KafkaClientConfiguration
    let topic: String
    let partitions: Int
    let isEmbedded: Bool
    /// Lives as long as this.
    private let cluster: MockCluster?

    /// The embedded broker keeps about 5 MB a partition; a bid is some 150 bytes, uncompressed.
    private static let bidsPerPartition = 20_000
    private static let fewestPartitions = 6

    init(_ address: String?, events: Int) throws(Failure) {
        partitions = max(Self.fewestPartitions, events / Self.bidsPerPartition + 1)
        isEmbedded = address == nil
        guard let address else {
            let cluster = try MockCluster()
            topic = "bids"
            try cluster.createTopic(topic, partitions: partitions)
            configuration = cluster.configuration
            self.cluster = cluster
            return
        }
        cluster = nil
        configuration = KafkaClientConfiguration(bootstrapServers: address)
        let time = Int(Date().timeIntervalSince1970)
        topic = "millrace-demo-\(time)-\(ProcessInfo.processInfo.processIdentifier)"
        try KafkaAdministration(configuration).createTopic(topic, partitions: partitions)
    }
}
