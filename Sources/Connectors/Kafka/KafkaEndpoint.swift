// The few calls that outputs need of a Kafka cluster. What they decide stands in KafkaCommitter and
// KafkaCluster; who answers is the real cluster here, or a simulated one in tests.

package import Contracts
package import KafkaIO

/// A topic that outputs write to.
package struct KafkaWantedTopic: Sendable, Hashable {
    package let topic: String
    /// nil: the broker's default.
    package let partitions: Int?
    /// Made if it is missing; else it must be there.
    package let isCreated: Bool
    /// Of a topic that is made.
    package var settings: [String: String] = [:]
}

/// One cluster. Calls block.
package protocol KafkaEndpoint: Sendable {
    func makeTopics(_ topics: [KafkaWantedTopic]) throws(Failure)
    func maximumMessageBytes(ofTopic topic: String) throws(Failure) -> Int

    /// See `KafkaTopicReader.newestByKey`.
    func newestByKey(
        inTopic topic: String, upTo end: KafkaReadEnd, timeout: Duration
    ) throws(Failure) -> [[UInt8]: [UInt8]]

    func makeProducer(transactionalID: String) throws(Failure) -> any KafkaTransactions
}

/// A producer with a transactional id; see `KafkaProducer`.
package protocol KafkaTransactions: AnyObject {
    func initializeTransactions(timeout: Duration) -> KafkaTransactionOutcome
    func begin() -> KafkaTransactionOutcome
    /// Refusals and failed deliveries show in `commit`.
    func produce(_ records: [KafkaRecord]) throws(Failure)
    func flush(timeout: Duration) -> Bool
    func commit(rows: Int, timeout: Duration) -> KafkaTransactionOutcome
    func abort(timeout: Duration) -> KafkaTransactionOutcome
}

extension KafkaProducer: KafkaTransactions {
    package func produce(_ records: [KafkaRecord]) throws(Failure) {
        for record in records { try produce(record) }
    }
}

/// The real one.
struct LiveKafkaEndpoint: KafkaEndpoint {
    let configuration: KafkaClientConfiguration

    func makeTopics(_ topics: [KafkaWantedTopic]) throws(Failure) {
        let administration = try KafkaAdministration(configuration)
        for topic in topics {
            if topic.isCreated {
                try administration.createTopic(
                    topic.topic, partitions: topic.partitions, settings: topic.settings)
            } else {
                _ = try administration.partitions(topic.topic)
            }
        }
    }

    func maximumMessageBytes(ofTopic topic: String) throws(Failure) -> Int {
        try KafkaAdministration(configuration).maximumMessageBytes(ofTopic: topic)
    }

    func newestByKey(
        inTopic topic: String, upTo end: KafkaReadEnd, timeout: Duration
    ) throws(Failure) -> [[UInt8]: [UInt8]] {
        try KafkaTopicReader(configuration, topic: topic).newestByKey(upTo: end, timeout: timeout)
    }

    func makeProducer(transactionalID: String) throws(Failure) -> any KafkaTransactions {
        try KafkaProducer(configuration, transactionalID: transactionalID)
    }
}
