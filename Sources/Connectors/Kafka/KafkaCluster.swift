// What all Kafka outputs of one cluster share: its address, its topics and their limits.

import Contracts
import KafkaIO
import Planning
import Progress
import Synchronization

/// One cluster that a topology writes to. Shared by writers and the committer.
final class KafkaCluster: Sendable {
    let bootstrapServers: String
    let configuration: KafkaClientConfiguration
    let context: ConnectorContext
    /// The topology's name.
    let topology: String
    /// Topics to be made if they are missing, with their number of partitions.
    private let wanted: [Wanted]
    private let limits = Mutex<[String: Int]>([:])
    /// Held while they are made: the writers and the committer ask at the same time.
    private let hasTopics = Mutex<Bool>(false)

    struct Wanted: Sendable, Hashable {
        let topic: String
        let partitions: Int?
        let isCreated: Bool
    }

    /// The progress records of all pipelines: compacted, one key a pipeline (design.md §3.6).
    static let progressTopic = "millrace.progress"

    init(
        bootstrapServers: String, properties: [String: String], wanted: [Wanted],
        topology: String, _ context: ConnectorContext
    ) {
        self.topology = topology
        self.bootstrapServers = bootstrapServers
        self.wanted = wanted
        self.context = context
        configuration = KafkaClientConfiguration(
            bootstrapServers: bootstrapServers, properties: properties,
            groupID: "millrace-" + context.identity.pipelineID)
    }

    /// The topics that the topology writes to here, sorted, each once.
    var topics: [String] { Set(wanted.map(\.topic)).sorted() }

    var target: TargetID { TargetIdentity.kafka(bootstrapServers: bootstrapServers) }

    /// Makes the progress topic and, where the topology wants it, outputs and dead-letter topics;
    /// once.
    func makeTopics() throws(Failure) {
        try hasTopics.withLock { hasTopics throws(Failure) in
            if !hasTopics { try makeThem() }
            hasTopics = true
        }
    }

    private func makeThem() throws(Failure) {
        let administration = try KafkaAdministration(configuration)
        try administration.createTopic(
            KafkaCluster.progressTopic, partitions: 1, settings: ["cleanup.policy": "compact"])
        for topic in wanted {
            if topic.isCreated {
                try administration.createTopic(topic.topic, partitions: topic.partitions)
            } else {
                _ = try administration.partitions(topic.topic)
            }
        }
    }

    /// The largest record that a topic takes, bytes: asked once. A broker that does not tell has
    /// Kafka's default.
    func limit(of topic: String) throws(Failure) -> Int {
        if let known = limits.withLock({ $0[topic] }) { return known }
        let limit = try Patience(context: context).wait { () throws(Failure) in
            let administration = try KafkaAdministration(configuration)
            return try administration.maximumMessageBytes(ofTopic: topic)
        }
        limits.withLock { $0[topic] = limit }
        return limit
    }

    /// The clusters of a plan: of its Kafka outputs, and of the dead-letter topics of sources and
    /// outputs.
    fileprivate static func all(of plan: Plan, _ context: ConnectorContext) -> [KafkaCluster] {
        var wanted: [String: [Wanted]] = [:]
        var properties: [String: [String: String]] = [:]
        func add(_ servers: String, _ own: [String: String], _ topic: Wanted) {
            wanted[servers, default: []].append(topic)
            properties[servers, default: [:]].merge(own) { first, _ in first }
        }
        for output in plan.outputs {
            guard case .kafka(let options) = output.connector else { continue }
            add(
                options.bootstrapServers, options.properties,
                Wanted(
                    topic: options.topic, partitions: options.topicPartitions,
                    isCreated: options.createsTopic))
            if let topic = output.deadLetterTopic {
                add(
                    options.bootstrapServers, options.properties,
                    Wanted(topic: topic, partitions: nil, isCreated: options.createsTopic))
            }
        }
        for source in plan.sources {
            guard case .kafka(let options) = source.connector, let topic = source.deadLetterTopic
            else { continue }
            add(
                options.bootstrapServers, options.properties,
                Wanted(topic: topic, partitions: nil, isCreated: true))
        }
        return wanted.keys.sorted().map { servers in
            KafkaCluster(
                bootstrapServers: servers, properties: properties[servers] ?? [:],
                wanted: wanted[servers] ?? [], topology: plan.name, context)
        }
    }
}

/// The clusters of the running plan, made once for all that ask.
final class KafkaClusters: Sendable {
    private let made = Mutex<[KafkaCluster]?>(nil)

    func all(of plan: Plan, _ context: ConnectorContext) -> [KafkaCluster] {
        made.withLock { made in
            if let made { return made }
            let all = KafkaCluster.all(of: plan, context)
            made = all
            return all
        }
    }
}
