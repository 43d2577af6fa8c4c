// What a client is told before it exists. Properties may hold secrets: none is ever printed.

import CRdKafka
import Contracts

/// How to reach a cluster, and the properties that a topology passes through ("kafka.*").
public struct KafkaClientConfiguration: Sendable {
    public let bootstrapServers: String
    /// librdkafka's names; they beat Millrace's defaults.
    public let properties: [String: String]
    /// Consumers commit their offsets under this group, for tools that watch lag:
    /// `millrace-<pipeline id>`.
    public let groupID: String

    public init(
        bootstrapServers: String, properties: [String: String] = [:], groupID: String = "millrace"
    ) {
        self.bootstrapServers = bootstrapServers
        self.properties = properties
        self.groupID = groupID
    }

    /// Properties that Millrace's exactness rests on; a topology may not set them.
    private static let reserved: Set<String> = [
        "bootstrap.servers", "metadata.broker.list", "enable.auto.commit",
        "enable.auto.offset.store", "enable.partition.eof", "auto.offset.reset",
        "enable.idempotence", "transactional.id", "group.id", "partitioner", "acks",
        "request.required.acks", "enable.gapless.guarantee", "partition.assignment.strategy",
        "plugin.library.paths",
    ]

    /// What lies fetched and unread, a queue: backpressure reaches the broker beyond it.
    static let queuedKilobytes = 32_768
    static let queuedMessages = 100_000

    static let consumerDefaults: [(String, String)] = [
        ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
        ("enable.partition.eof", "true"), ("auto.offset.reset", "error"),
        ("queued.max.messages.kbytes", String(queuedKilobytes)),
        ("queued.min.messages", String(queuedMessages)),
        ("fetch.wait.max.ms", "100"), ("allow.auto.create.topics", "false"),
    ]

    static let producerDefaults: [(String, String)] = [
        ("enable.idempotence", "true"), ("partitioner", "murmur2_random"), ("linger.ms", "5"),
        ("compression.type", "lz4"), ("queue.buffering.max.messages", "1000000"),
        // The broker's own limit (max.message.bytes) decides what is too large, not this one.
        ("message.max.bytes", "1000000000"),
    ]

    static let commonDefaults: [(String, String)] = [
        ("client.id", "millrace"), ("socket.keepalive.enable", "true"),
    ]

    /// A configuration of librdkafka's; the caller owns it until a client has taken it.
    func make(_ defaults: [(String, String)], extra: [(String, String)]) throws(Failure)
        -> OpaquePointer
    {
        let configuration = unsafe rd_kafka_conf_new().required("out of memory")
        do throws(Failure) {
            for (name, value) in Self.commonDefaults + defaults where properties[name] == nil {
                unsafe try set(configuration, name, value)
            }
            for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
                guard !Self.reserved.contains(name) else {
                    throw Failure(
                        .invalid, "kafka.reserved_property",
                        "the property \"kafka.\(name)\" is Millrace's own")
                }
                unsafe try set(configuration, name, value)
            }
            for (name, value) in extra + [("bootstrap.servers", bootstrapServers)] {
                unsafe try set(configuration, name, value)
            }
        } catch {
            unsafe rd_kafka_conf_destroy(configuration)
            throw error
        }
        unsafe rd_kafka_conf_set_log_cb(configuration, nil)
        return unsafe configuration
    }

    private func set(
        _ configuration: OpaquePointer, _ name: String, _ value: String
    ) throws(Failure) {
        var text = [CChar](repeating: 0, count: 512)
        // SAFETY: `text` has room for the size that is passed; strings live for the call.
        let result = unsafe text.withUnsafeMutableBufferPointer {
            unsafe rd_kafka_conf_set(configuration, name, value, $0.baseAddress, $0.count)
        }
        guard result != RD_KAFKA_CONF_OK else { return }
        // The library's sentence may repeat the value, which may be a secret.
        throw Failure(
            .invalid, "kafka.property",
            result == RD_KAFKA_CONF_UNKNOWN
                ? "librdkafka has no property \"\(name)\""
                : "the value of the property \"kafka.\(name)\" is not valid")
    }
}

extension KafkaClientConfiguration: CustomStringConvertible, CustomReflectable {
    public var description: String {
        "\(bootstrapServers) [\(properties.keys.sorted().joined(separator: ", "))]"
    }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
