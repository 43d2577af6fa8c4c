// Topics: made, described.

import CRdKafka
public import Contracts

/// Asks and changes the cluster. Use from one thread at a time.
public struct KafkaAdministration {
    private let handle: KafkaHandle

    public init(_ configuration: KafkaClientConfiguration) throws(Failure) {
        handle = try KafkaHandle(
            RD_KAFKA_CONSUMER, configuration, [("allow.auto.create.topics", "false")],
            extra: [("group.id", configuration.groupID)], events: RD_KAFKA_EVENT_ERROR)
    }

    public func partitions(
        _ topic: String, timeout: Duration = .seconds(10)
    ) throws(Failure) -> [Int32] {
        try handle.partitions(topic, timeout: timeout)
    }

    /// Makes a topic; false: it exists. `partitions` and `replication` nil: the broker's default.
    @discardableResult
    public func createTopic(
        _ name: String, partitions: Int? = nil, replication: Int? = nil,
        settings: [String: String] = [:], timeout: Duration = .seconds(30)
    ) throws(Failure) -> Bool {
        var text = [CChar](repeating: 0, count: 512)
        // SAFETY: the buffer has the size that is passed; the topic is destroyed below.
        let topic = unsafe text.withUnsafeMutableBufferPointer {
            unsafe rd_kafka_NewTopic_new(
                name, Int32(partitions ?? -1), Int32(replication ?? -1), $0.baseAddress, $0.count)
        }
        guard let topic = unsafe topic else {
            throw Failure(.invalid, "kafka.topic_name", "topic \"\(name)\": \(String(clean: text))")
        }
        defer { unsafe rd_kafka_NewTopic_destroy(topic) }
        for (key, value) in settings.sorted(by: { $0.key < $1.key }) {
            try unsafe Failure.check(
                rd_kafka_NewTopic_set_config(topic, key, value), "topic \"\(name)\"")
        }
        return try unsafe request("creating topic \"\(name)\"", timeout) { options, queue in
            var topics: [OpaquePointer?] = unsafe [topic]
            unsafe rd_kafka_CreateTopics(handle.client, &topics, 1, options, queue)
        } read: { event throws(Failure) in
            var count = 0
            let result = unsafe rd_kafka_event_CreateTopics_result(event)
            let topics = unsafe rd_kafka_CreateTopics_result_topics(result, &count)
            guard count == 1, let answer = unsafe topics?[0] else { return false }
            let error = unsafe rd_kafka_topic_result_error(answer)
            if error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { return false }
            let text = unsafe rd_kafka_topic_result_error_string(answer).map {
                unsafe String(cString: $0)
            }
            guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
                throw .kafka(error, "creating topic \"\(name)\"", text)
            }
            return true
        }
    }

    package func deleteTopic(
        _ name: String, timeout: Duration = .seconds(30)
    ) throws(Failure) {
        let topic = unsafe rd_kafka_DeleteTopic_new(name)
        // SAFETY: here and below: the request is ours until destroyed, after its answer.
        defer { unsafe rd_kafka_DeleteTopic_destroy(topic) }
        try unsafe request("deleting topic \"\(name)\"", timeout) { options, queue in
            var topics: [OpaquePointer?] = unsafe [topic]
            unsafe rd_kafka_DeleteTopics(handle.client, &topics, 1, options, queue)
        } read: { event throws(Failure) in
            var count = 0
            let result = unsafe rd_kafka_event_DeleteTopics_result(event)
            let topics = unsafe rd_kafka_DeleteTopics_result_topics(result, &count)
            guard count == 1, let answer = unsafe topics?[0] else { return }
            try unsafe Failure.check(
                rd_kafka_topic_result_error(answer), "deleting topic \"\(name)\"")
        }
    }

    /// Makes a topic have `total` partitions.
    package func addPartitions(
        _ name: String, total: Int, timeout: Duration = .seconds(30)
    ) throws(Failure) {
        var text = [CChar](repeating: 0, count: 512)
        // SAFETY: the buffer has the size that is passed.
        let more = unsafe text.withUnsafeMutableBufferPointer {
            unsafe rd_kafka_NewPartitions_new(name, total, $0.baseAddress, $0.count)
        }
        guard let more = unsafe more else {
            throw Failure(.invalid, "kafka.partitions", "topic \"\(name)\": \(String(clean: text))")
        }
        defer { unsafe rd_kafka_NewPartitions_destroy(more) }
        try unsafe request("adding partitions to \"\(name)\"", timeout) { options, queue in
            var requests: [OpaquePointer?] = unsafe [more]
            unsafe rd_kafka_CreatePartitions(handle.client, &requests, 1, options, queue)
        } read: { event throws(Failure) in
            var count = 0
            let result = unsafe rd_kafka_event_CreatePartitions_result(event)
            let topics = unsafe rd_kafka_CreatePartitions_result_topics(result, &count)
            guard count == 1, let answer = unsafe topics?[0] else { return }
            try unsafe Failure.check(
                rd_kafka_topic_result_error(answer), "adding partitions to \"\(name)\"")
        }
    }

    /// A topic's settings: `max.message.bytes`, `cleanup.policy`, ….
    public func settings(
        ofTopic name: String, timeout: Duration = .seconds(30)
    ) throws(Failure) -> [String: String] {
        let resource = unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name)
        defer { unsafe rd_kafka_ConfigResource_destroy(resource) }
        return try unsafe request("settings of topic \"\(name)\"", timeout) { options, queue in
            var resources: [OpaquePointer?] = unsafe [resource]
            unsafe rd_kafka_DescribeConfigs(handle.client, &resources, 1, options, queue)
        } read: { event throws(Failure) in
            var count = 0
            let result = unsafe rd_kafka_event_DescribeConfigs_result(event)
            let resources = unsafe rd_kafka_DescribeConfigs_result_resources(result, &count)
            guard count == 1, let answer = unsafe resources?[0] else { return [:] }
            try unsafe Failure.check(
                rd_kafka_ConfigResource_error(answer), "settings of topic \"\(name)\"")
            let entries = unsafe rd_kafka_ConfigResource_configs(answer, &count)
            var settings: [String: String] = [:]
            for index in 0..<count {
                guard let entry = unsafe entries?[index],
                    let key = unsafe rd_kafka_ConfigEntry_name(entry),
                    let value = unsafe rd_kafka_ConfigEntry_value(entry)
                else { continue }
                unsafe settings[String(cString: key)] = unsafe String(cString: value)
            }
            return settings
        }
    }

    /// The largest record batch, in bytes, that the topic takes.
    public func maximumMessageBytes(ofTopic name: String) throws(Failure) -> Int {
        let text = try settings(ofTopic: name)["max.message.bytes"] ?? ""
        guard let bytes = Int(text) else {
            throw Failure(
                .failed, "kafka.no_setting",
                "the broker does not tell max.message.bytes of topic \"\(name)\"")
        }
        return bytes
    }

    /// Removes the records of a partition below `offset`.
    public func deleteRecords(
        _ topic: String, partition: Int32, before offset: Int64, timeout: Duration = .seconds(30)
    ) throws(Failure) {
        let list = KafkaPartitionList(topic, [(partition, offset)])
        let deletion = unsafe rd_kafka_DeleteRecords_new(list.list)
        defer { unsafe rd_kafka_DeleteRecords_destroy(deletion) }
        try unsafe request("deleting records of \(topic)/\(partition)", timeout) { options, queue in
            var deletions: [OpaquePointer?] = unsafe [deletion]
            unsafe rd_kafka_DeleteRecords(handle.client, &deletions, 1, options, queue)
        } read: { event throws(Failure) in
            let result = unsafe rd_kafka_event_DeleteRecords_result(event)
            guard let offsets = unsafe rd_kafka_DeleteRecords_result_offsets(result) else { return }
            try unsafe Failure.check(
                offsets.pointee.elems[0].err, "deleting records of \(topic)/\(partition)")
        }
    }

    /// Sends a request and reads its answer from a queue of its own.
    private func request<Answer>(
        _ what: String, _ timeout: Duration,
        send: (_ options: OpaquePointer?, _ queue: OpaquePointer) -> Void,
        read: (_ event: OpaquePointer) throws(Failure) -> Answer
    ) throws(Failure) -> Answer {
        let queue = unsafe rd_kafka_queue_new(handle.client).required("out of memory")
        defer { unsafe rd_kafka_queue_destroy(queue) }
        let options = unsafe rd_kafka_AdminOptions_new(handle.client, RD_KAFKA_ADMIN_OP_ANY)
        defer { unsafe rd_kafka_AdminOptions_destroy(options) }
        var text = [CChar](repeating: 0, count: 512)
        // SAFETY: the buffer has the size that is passed.
        _ = unsafe text.withUnsafeMutableBufferPointer {
            unsafe rd_kafka_AdminOptions_set_request_timeout(
                options, timeout.milliseconds, $0.baseAddress, $0.count)
        }
        unsafe send(options, queue)
        guard let event = unsafe rd_kafka_queue_poll(queue, timeout.milliseconds &+ 5000) else {
            throw .kafka(RD_KAFKA_RESP_ERR__TIMED_OUT, what)
        }
        // SAFETY: the event is ours until destroyed, after `read` has copied what it needs.
        defer { unsafe rd_kafka_event_destroy(event) }
        let error = unsafe rd_kafka_event_error(event)
        guard error == RD_KAFKA_RESP_ERR_NO_ERROR else {
            let detail = unsafe rd_kafka_event_error_string(event).map {
                unsafe String(cString: $0)
            }
            throw .kafka(error, what, detail)
        }
        return try unsafe read(event)
    }
}
