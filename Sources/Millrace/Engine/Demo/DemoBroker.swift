// The demo's broker: the one in this process, or a real one with a topic of its own, which is
// removed again: at the end, or by the next demo in this folder if this one is killed.

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

    /// `folder` remembers a real broker's topic until it is removed.
    init(_ address: String?, events: Int, folder: DemoFolder) throws(Failure) {
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
        for leftover in folder.leftovers where leftover.broker == address {
            try? DemoBroker.remove(leftover)
        }
        configuration = KafkaClientConfiguration(bootstrapServers: address)
        let time = Int(Date().timeIntervalSince1970)
        topic = "millrace-demo-\(time)-\(ProcessInfo.processInfo.processIdentifier)"
        try folder.remember(DemoFolder.Topic(broker: address, name: topic))
        let administration = try KafkaAdministration(configuration)
        try administration.createTopic(topic, partitions: partitions)
        try waitUntilKnown(administration)
    }

    /// A broker answers that a topic is made before it knows the topic itself.
    private func waitUntilKnown(_ administration: KafkaAdministration) throws(Failure) {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do throws(Failure) {
                if try administration.partitions(topic).count == partitions { return }
            } catch where ContinuousClock.now < deadline {
                // Not yet.
            }
            guard ContinuousClock.now < deadline else {
                throw Failure(
                    .failed, "demo.topic", "the broker does not show the topic \(topic) it made")
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }

    private static func remove(_ topic: DemoFolder.Topic) throws(Failure) {
        try KafkaAdministration(KafkaClientConfiguration(bootstrapServers: topic.broker))
            .deleteTopic(topic.name)
    }

    /// Removes a real broker's topic. A failure costs nothing but the topic.
    func close() {
        guard !isEmbedded else { return }
        let own = DemoFolder.Topic(broker: configuration.bootstrapServers, name: topic)
        try? DemoBroker.remove(own)
    }
}
