// What all Kafka outputs of one cluster share: its address, its topics and their limits.

import Contracts
import KafkaIO
import Planning
import Progress
import Synchronization

/// One cluster that a topology writes to. Shared by writers and the committer.
final class KafkaCluster: Sendable {
    let bootstrapServers: String
    let endpoint: any KafkaEndpoint
    let context: ConnectorContext
    /// The topology's name.
    let topology: String
    /// Topics to be made if they are missing, with their number of partitions.
    private let wanted: [KafkaWantedTopic]
    private let limits = Mutex<[String: Int]>([:])
    /// Held while they are made: the writers and the committer ask at the same time.
    private let hasTopics = Mutex<Bool>(false)

    /// The progress records of all pipelines: compacted, one key a pipeline (design.md §3.6).
    static let progressTopic = "millrace.progress"

    init(
        bootstrapServers: String, endpoint: any KafkaEndpoint, wanted: [KafkaWantedTopic],
        topology: String, _ context: ConnectorContext
    ) {
        self.topology = topology
        self.bootstrapServers = bootstrapServers
        self.wanted = wanted
        self.context = context
        self.endpoint = endpoint
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
        let progress = KafkaWantedTopic(
            topic: KafkaCluster.progressTopic, partitions: 1, isCreated: true,
            settings: ["cleanup.policy": "compact"])
        try endpoint.makeTopics([progress] + wanted)
    }

    /// The largest record that a topic takes, bytes: asked once. A broker that does not tell has
    /// Kafka's default.
    func limit(of topic: String) throws(Failure) -> Int {
        if let known = limits.withLock({ $0[topic] }) { return known }
        let limit = try Patience(context: context).wait { () throws(Failure) in
            try endpoint.maximumMessageBytes(ofTopic: topic)
        }
        limits.withLock { $0[topic] = limit }
        return limit
    }

    /// The clusters of a plan: of its Kafka outputs, and of the dead-letter topics of sources and
    /// outputs.
    fileprivate static func all(
        of plan: Plan, _ context: ConnectorContext, _ connect: KafkaClusters.Connect
    ) -> [KafkaCluster] {
        var wanted: [String: [KafkaWantedTopic]] = [:]
        var properties: [String: [String: String]] = [:]
        func add(_ servers: String, _ own: [String: String], _ topic: KafkaWantedTopic) {
            wanted[servers, default: []].append(topic)
            properties[servers, default: [:]].merge(own) { first, _ in first }
        }
        for output in plan.outputs {
            guard case .kafka(let options) = output.connector else { continue }
            add(
                options.bootstrapServers, options.properties,
                KafkaWantedTopic(
                    topic: options.topic, partitions: options.topicPartitions,
                    isCreated: options.createsTopic))
            if let topic = output.deadLetterTopic {
                add(
                    options.bootstrapServers, options.properties,
                    KafkaWantedTopic(
                        topic: topic, partitions: nil, isCreated: options.createsTopic))
            }
        }
        for source in plan.sources {
            guard case .kafka(let options) = source.connector, let topic = source.deadLetterTopic
            else { continue }
            add(
                options.bootstrapServers, options.properties,
                KafkaWantedTopic(topic: topic, partitions: nil, isCreated: true))
        }
        return wanted.keys.sorted().map { servers in
            KafkaCluster(
                bootstrapServers: servers,
                endpoint: connect(
                    KafkaClientConfiguration(
                        bootstrapServers: servers, properties: properties[servers] ?? [:],
                        groupID: "millrace-" + context.identity.pipelineID)),
                wanted: wanted[servers] ?? [], topology: plan.name, context)
        }
    }
}

/// The clusters of the running plan, made once for all that ask.
final class KafkaClusters: Sendable {
    typealias Connect = @Sendable (KafkaClientConfiguration) -> any KafkaEndpoint

    private let made = Mutex<[KafkaCluster]?>(nil)
    private let connect: Connect

    init(connect: @escaping Connect) { self.connect = connect }

    func all(of plan: Plan, _ context: ConnectorContext) -> [KafkaCluster] {
        made.withLock { made in
            if let made { return made }
            let all = KafkaCluster.all(of: plan, context, connect)
            made = all
            return all
        }
    }
}
