// A Kafka cluster inside this process, for the demo and unit tests. It keeps about 5 MB a partition
// and knows no fencing, no read_committed and no times: nothing exact is proven with it.

import CRdKafka
public import Contracts

/// Ends with the value that holds it.
@safe
public final class MockCluster: @unchecked Sendable {
    // because the pointers never change and librdkafka locks the cluster.
    private let handle: KafkaHandle
    private let cluster: OpaquePointer
    /// On loopback ports of the system's choice.
    public let bootstrapServers: String

    public init(brokers: Int = 1) throws(Failure) {
        require(brokers > 0, "a cluster needs a broker")
        handle = try KafkaHandle(
            RD_KAFKA_PRODUCER,
            // Never connected to: the client only carries the cluster's thread and settings.
            KafkaClientConfiguration(bootstrapServers: "127.0.0.1:1"), [], extra: [],
            events: RD_KAFKA_EVENT_ERROR)
        guard let made = unsafe rd_kafka_mock_cluster_new(handle.client, Int32(brokers)) else {
            throw Failure(.failed, "kafka.mock", "the embedded broker did not start")
        }
        unsafe cluster = made
        unsafe bootstrapServers = String(cString: rd_kafka_mock_cluster_bootstraps(made))
    }

    // SAFETY: the cluster is ours, and goes before the client that carries it.
    deinit { unsafe rd_kafka_mock_cluster_destroy(cluster) }

    public var configuration: KafkaClientConfiguration {
        KafkaClientConfiguration(bootstrapServers: bootstrapServers)
    }

    /// Topics that come by themselves have 4 partitions.
    public func createTopic(_ name: String, partitions: Int) throws(Failure) {
        try unsafe Failure.check(
            rd_kafka_mock_topic_create(cluster, name, Int32(partitions), 1), "topic \"\(name)\"")
    }
}
